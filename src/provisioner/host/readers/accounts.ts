/** A line of passwd or group, as getent prints it, for a name that was asked for. */
export function rowsOf(stdout: string, columns: number): string[][] {
  return stdout
    .split("\n")
    .map((line) => line.split(":"))
    .filter((row) => row.length === columns);
}

/** Why a name is no account's, or `undefined`. getent takes numbers for ids; rows are found by name again. */
export function whyNoAccount(name: string): string | undefined {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.@$+-]*$/.test(name) ? undefined : "is not the name of a user or group";
}

export async function report(x: unknown): Promise<string> {
  return JSON.stringify(x, (_, v) => (v instanceof Map ? Object.fromEntries(v) : v), 1);
}

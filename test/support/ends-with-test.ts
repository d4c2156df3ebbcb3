/**
 * A program that gets SIGTERM when the test that started it is gone, however that ended: a Ctrl-C at the test reaches
 * no process group but its own.
 */
export function endsWithTest(argv: readonly string[]): readonly string[] {
  return ["setpriv", "--pdeathsig", "TERM", ...argv];
}

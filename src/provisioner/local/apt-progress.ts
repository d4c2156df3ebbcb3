/** What a bootstrap is at, said in a line. */
export interface AptProgress {
  readonly text: string;
  readonly fraction?: number;
}

/**
 * Follows the output of apt and dpkg, a line at a time: gives what to show, or nothing where the line says
 * nothing new. Every package is fetched, unpacked and set up.
 */
export function followApt(): (line: string) => AptProgress | undefined {
  let expected = 0;
  let done = 0;
  return (line) => {
    const planned = /^(\d+) upgraded, (\d+) newly installed/.exec(line);
    if (planned) {
      expected = 3 * (Number(planned[1]) + Number(planned[2]));
      done = 0;
      return undefined;
    }
    const phase = phases.find(({ pattern }) => pattern.test(line));
    if (!phase) return undefined;
    const text = `${phase.verb} ${phase.pattern.exec(line)?.[1] ?? ""}`.trim();
    if (!phase.counts || expected === 0) return { text };
    done += 1;
    return { text, fraction: Math.min(done / expected, 1) };
  };
}

const phases: readonly {
  readonly pattern: RegExp;
  readonly verb: string;
  readonly counts: boolean;
}[] = [
  { pattern: /^Get:\d+ \S+ \S+ \S+ (\S+) \S+ \S+ \[/, verb: "fetching", counts: true },
  { pattern: /^Get:\d+ \S+ (\S+)/, verb: "reading", counts: false },
  { pattern: /^Unpacking (\S+)/, verb: "unpacking", counts: true },
  { pattern: /^Setting up (\S+)/, verb: "setting up", counts: true },
  { pattern: /^update-initramfs: Generating (\S+)/, verb: "making", counts: false },
  { pattern: /^I: ((?:extracting|creating|installing) .*?)\.*$/, verb: "", counts: false },
];

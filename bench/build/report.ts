import { cpus, release, totalmem } from "node:os";

import { median, ratio } from "../measure.ts";
import { both, times } from "../report.ts";
import { table } from "../table.ts";
import { pairs, type BuildResults } from "./bench.ts";

const budget = 1.15;

/** The whole page: what was measured, on what, and how to do it again. */
export function report(results: BuildResults): string {
  const { samples, flights, uses, load, rounds } = results;
  const [all, bare] = pairs;
  return [
    "# Benchmarks of builds",
    "",
    "What the tasks of a build cost in the guest: `specs/base.yaml` by `provision apply`, beside a script that does the",
    "same, written by hand and sent by one `ssh host sh -s`. Booting, sealing and verifying are not part of it.",
    "",
    `- ${new Date().toISOString().slice(0, 10)}; Node ${process.versions.node}, Linux ${release().split("-")[0]}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB; both sides on it.`,
    `- Load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ${load[0] > cpus().length ? "others were at work, so trust ratios, not digits" : "quiet"}.`,
    `- Medians of ${rounds} rounds, everybody in turn; ratios are taken round by round.`,
    `- Each run has a fresh Debian 13 with a systemd and an OpenSSH of its own, in namespaces, its root in memory. ${uses} uses.`,
    "- Packages come from a mirror over the network, for both sides alike.",
    "- provision then plans on what the script has made, and must find nothing to do.",
    "",
    "`npm run bench:build` prints this page, `npm run bench:build -- --write` replaces it. It needs root, mmdebstrap and a network.",
    "",
    ...table(
      ["what", "script ms", "best", "provision ms", "best", "ratio", "budget", ""],
      pairs.map(({ title, script, ours }) => {
        const found = ratio(samples, ours, script);
        const verdict = found <= budget ? "kept" : "missed";
        return [
          title,
          ...both(samples, script),
          ...both(samples, ours),
          times(found),
          title === all.title ? `≤ ${budget}` : "",
          title === all.title ? verdict : "",
        ];
      }),
    ),
    "",
    `Without packages, where the difference does not drown in apt, provision spends ${Math.round(median(samples, bare.ours))} ms; its flights,`,
    "in order, of the last round (what is missing to the whole is Node's start, the connection, the worker, planning):",
    "",
    ...table(
      ["flight", "orders", "facts", "ms"],
      flights.map(({ orders, facts, ms }, at) => [
        String(at + 1),
        String(orders),
        String(facts),
        String(Math.round(ms)),
      ]),
    ),
    "",
    "provision looks before it acts, acts in order, and reads everything again to prove it; a unit that is restarted",
    "or a program without `touches` ends a flight, as all that follows may depend on it. The script does none of it.",
    "",
  ].join("\n");
}

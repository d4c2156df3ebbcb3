import type { Host } from "../core/host.ts";
import type { Output } from "../core/task.ts";
import type { Package } from "./manifest.ts";

/** Every package that dpkg has installed, sorted by name and, where it is there for several, architecture. */
export async function readPackages(host: Host): Promise<readonly Package[]> {
  const argv = [
    "dpkg-query",
    "-W",
    "-f",
    "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n",
  ] as const;
  const { answers } = await host.fly({ orders: [], facts: [{ kind: "query", about: { argv } }] });
  const [answer] = answers;
  if (!answer || "unknown" in answer)
    throw new Error(`Cannot list the packages: ${answer?.unknown ?? "no answer"}`);
  return (answer.value as Output).stdout
    .split("\n")
    .map((line) => line.split("\t"))
    .flatMap(([name, version, architecture, status]) =>
      name && version && architecture && status === "installed" ? [{ name, version, architecture }] : [],
    )
    .toSorted((one, other) => compare(one.name, other.name) || compare(one.architecture, other.architecture));
}

/** By code points: no locale of whoever builds has a say. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { Visit } from "../../../src/provisioner/image/contract/clause.ts";
import { contract } from "../../../src/provisioner/image/contract/contract.ts";
import type { Command, Output } from "../../../src/provisioner/core/task.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";

const identity = { user: "visitor", hostName: "verify-1", hostKey: "a b", loginKey: "c d" };
const visit = (boot: number): Visit => ({ boot, identity });

let folder: string;

beforeEach(async () => {
  folder = await scratchFolder();
});

/** Asks a clause's questions of this machine, its directories below a folder of their own. */
function ask(
  id: string,
  boot: number,
): { readonly answers: readonly Output[]; readonly against: readonly string[] } {
  const check = contract.find((clause) => clause.id === id)?.guest;
  if (!check) throw new Error(`no guest is asked about ${id}`);
  const answers = check.asks(visit(boot)).map(({ about }) => {
    const { argv } = about as Command;
    const [name, ...rest] = argv.map((word) => (word.startsWith("/") ? join(folder, word) : word));
    const { status, stdout, stderr } = spawnSync(name ?? "", rest, {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], LC_ALL: "C" },
    });
    return { code: status ?? 1, stdout, stderr };
  });
  return { answers, against: check.against(answers, visit(boot), undefined) };
}

describe.each([
  ["state-writable", ["/etc", "/var/lib", "/var/log", "/var/spool", "/home", "/root"]],
  ["temporary-forgotten", ["/tmp", "/var/tmp"]],
])("the question of %s, as sh answers it", (id, places) => {
  beforeEach(() => {
    for (const path of places) mkdirSync(join(folder, path), { recursive: true });
  });

  const forget = () => {
    for (const path of places) rmSync(join(folder, path, ".provision-verify"));
  };

  it("is content with what was written and read back", () => {
    expect(ask(id, 0).against).toEqual([]);
    expect(readFileSync(join(folder, places[0] ?? "", ".provision-verify"), "utf8")).toBe(
      "verify-1 at boot 0",
    );
  });

  it("may be asked again at the same boot", () => {
    ask(id, 0);

    expect(ask(id, 0).against).toEqual([]);
  });

  it("knows after a reboot what was kept and what was forgotten", () => {
    const isKept = id === "state-writable";
    ask(id, 0);
    if (!isKept) forget();
    expect(ask(id, 1).against).toEqual([]);

    if (isKept) forget();
    expect(ask(id, 2).against).toHaveLength(places.length);
  });

  it("says what the system said when nothing can be written", () => {
    rmSync(join(folder, places[0] ?? ""), { recursive: true });

    expect(ask(id, 0).against).toContainEqual(
      expect.stringMatching(new RegExp(`^${places[0]}: .*(No such file|nonexistent)`)),
    );
  });
});

it("tells a write that went through from one that was refused", () => {
  for (const path of ["/usr", "/opt", "/var/cache"]) mkdirSync(join(folder, path), { recursive: true });

  expect(ask("root-refuses-writes", 0).against).toEqual([
    "/: it was written to",
    "/usr/: it was written to",
    "/opt/: it was written to",
    "/var/cache/: it was written to",
  ]);
});

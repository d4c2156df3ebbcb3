import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runProgram } from "../../src/provisioner/cli/program.ts";
import { fakeShell } from "../support/fake-shell.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const spec = "base: debian-13\ntasks:\n  - timezone: {name: Etc/UTC}\n";
const host = (address: string) => `networks: [{network: default, addresses: [${address}]}]\n`;

/** A project with two specs and three hosts, two of which want one address. */
async function project() {
  const home = await scratchFolder();
  for (const folder of ["specs", "hosts"]) await mkdir(join(home, folder));
  const files = {
    "specs/base.yaml": spec,
    "specs/web.yaml": spec,
    "hosts/defaults.yaml": "image: base\nusers: [{name: admin, keys: [agent], sudo: true}]\n",
    "hosts/mail.yaml": host("192.0.2.10/24"),
    "hosts/web.yaml": host("192.0.2.11/24"),
    "hosts/wiki.yaml": host("192.0.2.10/24"),
  };
  for (const [file, text] of Object.entries(files)) await writeFile(join(home, file), text);
  return async (...names: string[]) => {
    const shell = fakeShell(home, { PROVISION_HOME: home });
    const exitCode = await runProgram(["validate", ...names], shell);
    return { exitCode, out: shell.out.join(""), err: shell.err.join("") };
  };
}

const clash = (later: string, first: string) =>
  `hosts/${later}.yaml:1:43\n  Cannot give ${later} address "192.0.2.10/24": must be one card's alone, is that of ${first} at hosts/${first}.yaml:1:43 too`;

describe("provision validate", () => {
  it("holds every host against every other when none is named", async () => {
    const validate = await project();

    const { exitCode, out, err } = await validate();

    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toContain(clash("wiki", "mail"));
    expect(err).toContain("mend: Give each card a hardware address and addresses of its own");
  });

  it("holds a host that is named against all others, and leaves those alone", async () => {
    const validate = await project();

    expect((await validate("mail")).err).toContain(clash("mail", "wiki"));
    expect(await validate("./hosts/web.yaml")).toMatchObject({ exitCode: 2 });
  });

  it("takes a name for the spec and the host that have it, and a file for what its folder holds", async () => {
    const validate = await project();

    const { exitCode, out, err } = await validate("web");

    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toBe("web: 1 uses in specs/web.yaml\nweb: 0 uses in hosts/defaults.yaml, hosts/web.yaml\n");
  });

  it.each([
    ["wbe", 'Cannot find spec "wbe"', 'mend: Name "web"'],
    ["wkii", 'Cannot find host "wkii"', 'mend: Name "wiki"'],
    ["nothing", 'Cannot find spec "nothing"', "mend: Name one of: base, web"],
  ])("names what %s is most like", async (name, what, mend) => {
    const validate = await project();

    const { exitCode, err } = await validate(name);

    expect(exitCode).toBe(2);
    expect(err).toContain(what);
    expect(err).toContain(mend);
  });
});

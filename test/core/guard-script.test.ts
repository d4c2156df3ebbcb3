import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { guardScript, takeBackScript } from "../../src/provisioner/core/guard-script.ts";

/** Real shells over a folder; of systemd as much as the script can tell: it keeps what it is told to start. */
describe("the script of a guard", () => {
  let dir: string;
  const at = (name: string) => join(dir, name);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "provision-guard-"));
    await mkdir(at("bin"));
    await program("systemd-run", `echo "run $*" >>${at("log")}; [ ! -e ${at("no-systemd")} ]`);
    await program(
      "systemctl",
      `echo "$*" >>${at("log")}; case $1 in start) sh ${at("guards/eth/script")} ;; esac`,
    );
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function program(name: string, text: string): Promise<void> {
    await writeFile(at(`bin/${name}`), `#!/bin/sh\n${text}\n`);
    await chmod(at(`bin/${name}`), 0o755);
  }

  const env = () => ({ PATH: `${at("bin")}:${process.env["PATH"]}` });

  async function call(verb: string, args: readonly string[] = [], restore = ":") {
    const argv = ["-c", guardScript(at("guards")), "provision-guard", verb, "eth", ...args];
    const input = takeBackScript("eth", restore, at("guards"));
    const { exitCode, stdout } = await execa("sh", argv, { input, reject: false, env: env() });
    return { exitCode, stdout };
  }

  const arm = (token = "one", restore = ":", paths = [at("conf"), at("new")]) =>
    call("arm", [token, "120", ...paths], restore);
  const expire = () => execa("sh", [at("guards/eth/script")], { env: env(), reject: false });
  const log = async () => (await readFile(at("log"), "utf8")).trim().split("\n");
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  it("arms a timer of systemd, and keeps what it has to where root alone can read it", async () => {
    await writeFile(at("conf"), "old");

    expect(await arm()).toMatchObject({ exitCode: 0 });

    expect(await log()).toEqual([
      expect.stringMatching(
        /^run --quiet --collect --unit=provision-guard-eth-\d+ .*--on-active=120s .*\/eth\/script$/,
      ),
    ]);
    expect([
      await mode(at("guards")),
      await mode(at("guards/eth")),
      await mode(at("guards/eth/script")),
    ]).toEqual(["700", "700", "600"]);
  });

  it("puts files back with their modes, removes what was new, and brings the rest into effect", async () => {
    await writeFile(at("conf"), "old", { mode: 0o640 });
    await symlink("conf", at("link"));
    await arm("one", `cat ${at("conf")} >${at("effect")}`, [at("conf"), at("new"), at("link")]);
    await writeFile(at("conf"), "changed");
    await chmod(at("conf"), 0o600);
    await writeFile(at("new"), "new");
    await rm(at("link"));

    const { exitCode } = await expire();

    expect(exitCode).toBe(0);
    expect([await readFile(at("conf"), "utf8"), await readFile(at("effect"), "utf8")]).toEqual([
      "old",
      "old",
    ]);
    expect(await mode(at("conf"))).toBe("640");
    expect((await readdir(dir)).toSorted()).toEqual(["bin", "conf", "effect", "guards", "link", "log"]);
    expect(await call("confirm")).toEqual({ exitCode: 3, stdout: "" });
  });

  it("confirms: nothing is left, the timer ends, what comes too late finds nothing, and twice is as good", async () => {
    await writeFile(at("conf"), "old");
    await arm();
    await writeFile(at("conf"), "changed");
    const script = await readFile(at("guards/eth/script"), "utf8");

    expect(await call("confirm")).toMatchObject({ exitCode: 0 });
    expect(await call("confirm")).toMatchObject({ exitCode: 0 });
    await execa("sh", ["-c", script], { env: env() });

    expect(await readFile(at("conf"), "utf8")).toBe("changed");
    expect(await readdir(at("guards"))).toEqual(["eth.lock"]);
    expect((await log()).at(-1)).toMatch(/^stop provision-guard-eth-\d+\.timer$/);
  });

  it("keeps what it has kept when it is armed again, and what has come in addition", async () => {
    await writeFile(at("conf"), "old");
    await writeFile(at("more"), "old");
    await arm("one", `echo first >${at("effect")}`, [at("conf")]);
    await writeFile(at("conf"), "half");

    await arm("two", `echo second >${at("effect")}`, [at("conf"), at("more")]);
    await writeFile(at("conf"), "whole");
    await writeFile(at("more"), "whole");
    await expire();

    expect([await readFile(at("conf"), "utf8"), await readFile(at("more"), "utf8")]).toEqual(["old", "old"]);
    expect(await readFile(at("effect"), "utf8")).toBe("first\n");
    const [first, second, stopped] = await log();
    const [name] = /provision-guard-eth-\d+/.exec(first ?? "") ?? [];
    expect(second).toMatch(/^run /);
    expect(stopped).toBe(`stop ${name}.timer ${name}.service`);
  });

  it("lets a run whose change was taken back not begin anew, and another one does", async () => {
    await arm("one");
    await expire();

    expect(await arm("one")).toMatchObject({ exitCode: 3 });
    expect(await readdir(at("guards"))).toEqual(["eth.lock", "eth.taken-back"]);
    expect(await arm("two")).toMatchObject({ exitCode: 0 });
  });

  it("tries again what does not come into effect at first", async () => {
    await arm("one", `[ -e ${at("tried")} ] || { : >${at("tried")}; false; }`);

    expect(await expire()).toMatchObject({ exitCode: 0 });
    expect(await call("confirm")).toMatchObject({ exitCode: 3 });
  });

  it("tells what kept it from coming into effect, with the files back in their places", async () => {
    await program("sleep", ":");
    await writeFile(at("conf"), "old");
    await arm("one", "echo no such device >&2; exit 7");
    await writeFile(at("conf"), "changed");

    expect(await expire()).toMatchObject({ exitCode: 7 });

    expect(await readFile(at("conf"), "utf8")).toBe("old");
    expect(await call("confirm")).toEqual({ exitCode: 4, stdout: "no such device" });
  });

  it("takes back at once when told to, and has nothing to do when there is none", async () => {
    expect(await call("take-back")).toMatchObject({ exitCode: 0 });
    await writeFile(at("conf"), "old");
    await arm();
    await writeFile(at("conf"), "changed");

    expect(await call("take-back")).toMatchObject({ exitCode: 0 });

    expect(await readFile(at("conf"), "utf8")).toBe("old");
  });

  it("is not armed where no timer can be, and says so", async () => {
    await writeFile(at("no-systemd"), "");

    expect(await arm()).toMatchObject({ exitCode: 1 });
    expect(await readdir(at("guards"))).toEqual(["eth.lock"]);
  });

  it("makes a confirmation wait for what is being taken back, which then comes too late", async () => {
    await arm("one", `: >${at("begun")}; until [ -e ${at("go")} ]; do sleep 0.02; done`);
    const expiring = expire();
    await expect.poll(() => readdir(dir)).toContain("begun");

    const confirming = call("confirm");
    const first = await Promise.race([
      confirming,
      new Promise((resolve) => setTimeout(resolve, 200, "waits")),
    ]);
    await writeFile(at("go"), "");
    await expiring;

    expect(first).toBe("waits");
    expect(await confirming).toMatchObject({ exitCode: 3 });
  });
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { FetchAction } from "../../src/provisioner/core/task.ts";
import { downloadOrder } from "../../src/provisioner/tools/download-script.ts";
import { HereHost } from "../support/here-host.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { openToolProject, type ToolProject } from "../support/tool-project.ts";

const bytes = Buffer.from("the very bytes");
const sha256 = createHash("sha256").update(bytes).digest("hex");
const has = (name: string) => {
  try {
    return execFileSync("/bin/sh", ["-c", `command -v ${name}`], {
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin" },
    }).trim();
  } catch {
    return undefined;
  }
};

let folder: string;
let mirror: ToolProject;

beforeEach(async () => {
  folder = await scratchFolder();
  mirror = await openToolProject();
  mirror.files.set("tool", bytes);
});

afterEach(() => mirror[Symbol.asyncDispose]());

/** A machine that has these of the programs that download. */
function machineWith(...names: readonly string[]): HereHost {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["sh", "mktemp", "rm", "sed", "sha256sum", "chown", "chmod", "mv", ...names])
    symlinkSync(has(name) ?? "", join(bin, name));
  return new HereHost(["/bin/sh"], { PATH: bin });
}

async function download(host: HereHost, urls: readonly string[], changes: Partial<FetchAction> = {}) {
  const group = execFileSync("id", ["-gn"], { encoding: "utf8" }).trim();
  const owner = execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
  const action: FetchAction = {
    kind: "fetch",
    path: join(folder, "place"),
    file: { name: "tool", url: "", sha256, format: "raw" },
    mode: "0600",
    owner,
    group,
    ...changes,
  };
  return host.run(downloadOrder(action, urls).command);
}

const place = () => join(folder, "place");

describe("what a machine downloads by itself", () => {
  it.each(["curl", "wget", "python3"])("comes whole, in its mode, by %s alone", async (name) => {
    // A skip that is silent would claim what nobody saw.
    expect(has(name)).toBeDefined();
    const { code, stdout } = await download(machineWith(name), [`${mirror.url}/tool`]);

    expect([code, stdout]).toEqual([0, `Downloading tool from ${mirror.url}/tool\n`]);
    expect(readFileSync(place())).toEqual(bytes);
    expect(statSync(place()).mode & 0o7777).toBe(0o600);
  });

  it("comes from the first place that has it", async () => {
    mirror.files.set("other", Buffer.from("other bytes"));

    const { code, stdout } = await download(machineWith("curl"), [
      `${mirror.url}/nothing`,
      `${mirror.url}/other`,
      `${mirror.url}/tool`,
    ]);

    expect(code).toBe(0);
    expect(stdout.split("\n")).toHaveLength(4);
    expect(readFileSync(place())).toEqual(bytes);
  });

  it("is nothing when no place has it, and every reason is named, without a password", async () => {
    mirror.files.set("other", Buffer.from("other bytes"));
    const secret = mirror.url.replace("//", "//me:hunter2@");

    const { code, stdout, stderr } = await download(machineWith("curl"), [
      `${secret}/nothing`,
      `${secret}/other`,
    ]);

    expect(code).toBe(1);
    expect(stderr).toContain(`${mirror.url}/nothing: curl: (22) The requested URL returned error: 404`);
    expect(stderr).toMatch(new RegExp(`${mirror.url}/other: its SHA-256 must be ${sha256}, is [0-9a-f]{64}`));
    expect(stdout + stderr).not.toContain("hunter2");
    expect(readdirSync(folder)).toEqual(["bin"]);
  });

  it("says what is missing where nothing can download", async () => {
    const { code, stderr } = await download(machineWith(), [`${mirror.url}/tool`]);

    expect(code).toBe(1);
    expect(stderr).toContain("there must be curl, wget or python3");
    expect(existsSync(place())).toBe(false);
  });

  it("tells URLs by standard input: what is on a command line everybody can read", () => {
    const { command } = downloadOrder(
      { kind: "fetch", path: "/x/y", file: { name: "t", url: "", sha256, format: "raw" } },
      ["https://me:hunter2@example.com/t"],
    );

    expect(command.argv.join(" ")).not.toContain("hunter2");
    expect(command.stdin).toBe("https://me:hunter2@example.com/t\n");
  });
});

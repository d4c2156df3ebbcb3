import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readSecret, type SecretPlaces } from "../../src/provisioner/local/read-secret.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

async function places(given: Partial<SecretPlaces> = {}): Promise<SecretPlaces> {
  const folder = await scratchFolder();
  return {
    env: { PATH: "/usr/bin:/bin" },
    home: folder,
    cwd: folder,
    signal: new AbortController().signal,
    beside: (path) => join(folder, "specs", path),
    ...given,
  };
}

async function unavailable(reason: RegExp, mend: RegExp): Promise<object> {
  return {
    code: "SECRET_UNAVAILABLE",
    message: expect.stringMatching(reason) as string,
    mend: expect.stringMatching(mend) as string,
  };
}

describe("a secret in a file", () => {
  it("is its text, to the last newline, from / or from ~/", async () => {
    const at = await places();
    await writeFile(join(at.home, "key"), "line one\nline two\n\n");

    expect(await readSecret({ file: join(at.home, "key") }, at)).toBe("line one\nline two\n\n");
    expect(await readSecret({ file: "~/key" }, at)).toBe("line one\nline two\n\n");
  });

  it("is beside the spec when its path is relative", async () => {
    const at = await places();
    await writeFile(join(at.home, "near"), "hunter2\n");

    expect(await readSecret({ file: "x" }, { ...at, beside: () => join(at.home, "near") })).toBe("hunter2\n");
  });

  it("names the file that is missing and says where to put it", async () => {
    await expect(readSecret({ file: "/nowhere/key" }, await places())).rejects.toMatchObject(
      await unavailable(
        /^Cannot take a secret from the file "\/nowhere\/key": must be a file that can be read, is not: "\/nowhere\/key" \(ENOENT\)$/,
        /^Put the secret into "\/nowhere\/key"/,
      ),
    );
  });

  it("is no folder, no bytes, and not longer than what travels in one piece", async () => {
    const at = await places();
    await writeFile(join(at.home, "bytes"), Buffer.from([0xff, 0xfe, 1, 2, 3]));
    await writeFile(join(at.home, "nul"), "abc\0def");
    await writeFile(join(at.home, "long"), "x".repeat(65_537));

    await expect(readSecret({ file: at.home }, at)).rejects.toThrow(/must be a file .*EISDIR/);
    for (const name of ["bytes", "nul"]) {
      await expect(readSecret({ file: `~/${name}` }, at)).rejects.toThrow("must be UTF-8 text without NUL");
    }
    await expect(readSecret({ file: "~/long" }, at)).rejects.toThrow(
      "must have 65536 bytes at most, has 65537",
    );
  });
});

describe("a secret in a variable", () => {
  it("is its value", async () => {
    expect(await readSecret({ env: "TOKEN" }, await places({ env: { TOKEN: "hunter2" } }))).toBe("hunter2");
  });

  it("must be set", async () => {
    await expect(readSecret({ env: "TOKEN" }, await places())).rejects.toMatchObject(
      await unavailable(/^Cannot take a secret from the variable "TOKEN": must be set, is not$/, /TOKEN/),
    );
  });

  it.each([
    ["", /must have 4 characters at least.*, is empty$/],
    ["  \n", /must have 4 characters at least.*, is empty$/],
    ["xyz\n", /must have 4 characters at least.*, is shorter$/],
  ])("is not %j, and is not told", async (TOKEN, reason) => {
    const failing = readSecret({ env: "TOKEN" }, await places({ env: { TOKEN } }));

    await expect(failing).rejects.toMatchObject(await unavailable(reason, /longer/));
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining("xyz") as string });
  });
});

describe("a secret that a program prints", () => {
  it("is all of its standard output, and nothing of its errors", async () => {
    const command = ["sh", "-c", "echo noise >&2; printf 'from %s\\n' \"$1\"", "sh", "it's"];

    expect(await readSecret({ command }, await places())).toBe("from it's\n");
  });

  it("runs where provision runs, with its variables and nothing on its standard input", async () => {
    const at = await places({ env: { PATH: "/usr/bin:/bin", WHO: "alice" } });

    expect(await readSecret({ command: ["sh", "-c", 'pwd; echo "$WHO"; cat'] }, at)).toBe(
      `${at.cwd}\nalice\n`,
    );
  });

  it("must come with exit code 0; what was printed is not told", async () => {
    const failing = readSecret(
      { command: ["sh", "-c", "echo hunter2; echo hunter3 >&2; exit 3"] },
      await places(),
    );

    const error = await failing.then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );

    expect(error).toMatchObject(await unavailable(/: must exit 0, is 3$/, /^Run `sh -c .*` on this machine/));
    expect(error?.cause).toBeUndefined();
  });

  it("must be of a program that there is and that may be run", async () => {
    const at = await places();
    await writeFile(join(at.home, "plain"), "hunter2");
    await chmod(join(at.home, "plain"), 0o600);

    await expect(readSecret({ command: ["no-such-program"] }, at)).rejects.toMatchObject(
      await unavailable(/"no-such-program" must be a program here, is missing$/, /^Run `no-such-program`/),
    );
    await expect(readSecret({ command: [join(at.home, "plain")] }, at)).rejects.toMatchObject(
      await unavailable(/must exit 0, is /, /^Run /),
    );
  });

  it("is not waited for when the run is stopped", async () => {
    const stop = new AbortController();
    const waiting = readSecret({ command: ["sleep", "60"] }, await places({ signal: stop.signal }));

    stop.abort();

    await expect(waiting).rejects.toThrow(/abort/i);
  });
});

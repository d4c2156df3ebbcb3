import { describe, expect, it } from "vitest";

import { symlink } from "../../src/tasks/symlink.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { accepts, refusal, settle } from "../support/tasks.ts";

const link = { path: "/etc/vi", target: "/usr/bin/nvim" };

describe("symlink", () => {
  it("makes the link, whether or not something is behind it", async () => {
    const host = emptyMachine();

    await settle(symlink, link, host);

    expect(host.files.stat("/etc/vi")).toMatchObject({ type: "symlink", target: "/usr/bin/nvim" });
  });

  it("turns a link that points elsewhere", async () => {
    const host = emptyMachine();
    host.files.symlink("/etc/vi", "../usr/bin/nvim");

    await settle(symlink, link, host);

    expect(host.files.stat("/etc/vi")?.target).toBe("/usr/bin/nvim");
  });

  it("replaces a file only when that is said", async () => {
    const host = emptyMachine();
    host.files.write("/etc/vi", "");

    await expect(settle(symlink, link, host)).rejects.toMatchObject(
      refusal(/is a file; say replaceFile: true/),
    );
    await settle(symlink, { ...link, replaceFile: true }, host);

    expect(host.files.stat("/etc/vi")?.type).toBe("symlink");
  });

  it("never replaces a directory", async () => {
    const host = emptyMachine();
    host.files.directory("/etc/vi");

    await expect(settle(symlink, { ...link, replaceFile: true }, host)).rejects.toMatchObject(
      refusal(/is a directory; remove it first/),
    );
  });

  it.each(["", "a\nb", "a\u0000"])("refuses the target %j", (target) => {
    expect(accepts(symlink, { ...link, target })).toBe(false);
  });
});

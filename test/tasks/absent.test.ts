import { describe, expect, it } from "vitest";

import { absent } from "../../src/tasks/absent.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, refusal, settle } from "../support/tasks.ts";

describe("absent", () => {
  it("has nothing to do where nothing is", async () => {
    expect(await settle(absent, { path: "/etc/none" }, emptyMachine())).toMatchObject({ changed: 0 });
  });

  it("removes a link, not what it points to", async () => {
    const host = emptyMachine();
    host.files.write("/srv/a", "keep");
    host.files.symlink("/etc/a", "/srv/a");

    await settle(absent, { path: "/etc/a" }, host);

    expect(host.files.stat("/etc/a")).toBeUndefined();
    expect(host.files.read("/srv/a")).toBe("keep");
  });

  it("removes a directory only when that is said", async () => {
    const host = emptyMachine();
    host.files.directory("/srv/www/html");

    await expect(settle(absent, { path: "/srv/www" }, host)).rejects.toMatchObject(
      refusal(/say recursive: true/),
    );
    await settle(absent, { path: "/srv/www", recursive: true }, host);

    expect(host.files.stat("/srv/www/html")).toBeUndefined();
  });

  it("never removes a directory right below the root", async () => {
    const host = emptyMachine();

    await expect(settle(absent, { path: "/etc", recursive: true }, host)).rejects.toMatchObject(
      refusal(/right below the root/),
    );
    expect(host.files.stat("/etc")).toBeDefined();
  });

  it.each(["/", "/etc/..", "/.", ""])("refuses the path %j", (path) => {
    expect(complaints(absent, { path, recursive: true })).toEqual([expect.stringContaining("path")]);
  });
});

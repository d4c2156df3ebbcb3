import { describe, expect, it } from "vitest";

import { directory } from "../../src/tasks/directory.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { complaints, refusal, settle } from "../support/tasks.ts";

describe("directory", () => {
  it("makes it with its parents", async () => {
    const host = emptyMachine();

    await settle(directory, { path: "/srv/a/b", mode: "0750", group: "adm" }, host);

    expect(host.files.stat("/srv/a/b")).toMatchObject({ type: "directory", mode: "0750", group: "adm" });
    expect(host.files.stat("/srv/a")).toMatchObject({ mode: "0755", group: "root" });
  });

  it("keeps what is not given of one that is there", async () => {
    const host = emptyMachine();
    host.files.attributes("/tmp", { mode: "1777" });

    await settle(directory, { path: "/tmp" }, host);
    await settle(directory, { path: "/tmp", group: "adm" }, host);

    expect(host.files.stat("/tmp")).toMatchObject({ mode: "1777", owner: "root", group: "adm" });
    expect(host.journal).toEqual(["attributes /tmp"]);
  });

  it("refuses a file or a link in its place", async () => {
    const host = emptyMachine();
    host.files.write("/srv/file", "");
    host.files.symlink("/srv/link", "/tmp");

    await expect(settle(directory, { path: "/srv/file" }, host)).rejects.toMatchObject(
      refusal(/is a file; remove/),
    );
    await expect(settle(directory, { path: "/srv/link" }, host)).rejects.toMatchObject(
      refusal(/is a link to "\/tmp"/),
    );
    expect(host.journal).toEqual([]);
  });

  it("refuses a mode that is a number", () => {
    expect(complaints(directory, { path: "/srv/a", mode: 755 })).toEqual([expect.stringContaining("mode")]);
  });
});

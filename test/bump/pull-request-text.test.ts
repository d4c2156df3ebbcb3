import { describe, expect, it } from "vitest";

import { bodyOf, branchName, titleOf } from "../../src/provisioner/bump/pull-request-text.ts";
import type { Renewal } from "../../src/provisioner/bump/renewal.ts";
import { ProvisionError } from "../../src/provisioner/core/errors.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 4, 10);

function renewal(tool: string, changes: Partial<Renewal> = {}): Renewal {
  return {
    tool,
    pinned: "1.0.0",
    state: "newer",
    version: "1.1.0",
    publishedAt: now - 5 * day,
    link: "https://example.org/v1.1.0",
    license: "MIT",
    files: [],
    notes: [],
    edits: [{ path: ["tools", tool, "version"], value: "1.1.0" }],
    ...changes,
  };
}

const body = (...renewals: readonly Renewal[]) => bodyOf({ renewals, failed: [] }, now);

describe("branchName", () => {
  it.each([
    [[], "bump/tools"],
    [["fd", "bat"], "bump/bat-fd"],
  ])("of %j is %s", (tools, branch) => {
    expect(branchName(tools)).toBe(branch);
  });

  it.each([["x.lock"], ["x."], ["a..b"]])("is one that git takes for %s", (tool) => {
    expect(branchName([tool])).toMatch(/^bump\/[0-9a-f]{12}$/);
  });

  it("is short and always the same for many tools", () => {
    const tools = Array.from({ length: 30 }, (_, index) => `tool-${index}`);

    expect(branchName(tools)).toMatch(/^bump\/[0-9a-f]{12}$/);
    expect(branchName(tools)).toBe(branchName(tools.toReversed()));
  });
});

describe("titleOf", () => {
  it.each([
    [["bat"], "Bump bat to 1.1.0"],
    [["bat", "fd"], "Bump bat and fd"],
    [["bat", "fd", "gh"], "Bump bat, fd and gh"],
    [["a", "b", "c", "d", "e"], "Bump 5 tools"],
  ])("of %j is %s", (tools, title) => {
    expect(titleOf(tools.map((tool) => renewal(tool)))).toBe(title);
  });
});

describe("bodyOf", () => {
  it("has a row for each tool that changes", () => {
    expect(body(renewal("hello"), renewal("same", { edits: [] }))).toContain(
      "| hello | 1.0.0 | [1.1.0](https://example.org/v1.1.0) | 2026-05-05, 5 days ago |  | MIT |",
    );
    expect(body(renewal("same", { edits: [] }))).not.toContain("| same |");
  });

  it("makes no link of what could break out of one, and no column of what is in a license", () => {
    const text = body(
      renewal("hello", { link: "https://example.org/) [x](http://evil", license: "MIT | @everyone" }),
    );

    expect(text).not.toContain("evil");
    expect(text).toContain(String.raw`| MIT \| @everyone |`);
  });

  it("tells what waits and what failed, as text that mentions nobody", () => {
    const error = new ProvisionError("CHECKSUM_MISSING", {
      tool: "fd",
      asset: "a`b",
      list: "@team/all",
      reason: "gone\nnow",
    });
    const text = bodyOf(
      {
        renewals: [renewal("hello", { notes: ["2.0.0 waits: @you"] })],
        failed: [{ tool: "fd", pinned: "1", error }],
      },
      now,
    );

    expect(text).toContain("### Waiting or held\n\n- hello: `2.0.0 waits: @you`");
    expect(text).toContain(
      '### Not renewed\n\n- fd: `Cannot pin fd: "a b" must have a digest in @team/all: gone now`',
    );
  });

  it("is cut where the server would refuse it", () => {
    const text = body(...Array.from({ length: 1000 }, (_, index) => renewal(`tool-${index}`)));

    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/\(cut: too long\)$/);
  });
});

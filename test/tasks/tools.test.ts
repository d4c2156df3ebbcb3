import { describe, expect, it } from "vitest";

import { tools } from "../../src/tasks/tools/index.ts";

describe("tools", () => {
  it("x", () => { expect(tools.name).toBe("tools"); });
});

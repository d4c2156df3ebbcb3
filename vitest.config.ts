import { defineConfig } from "vitest/config";

import { ClosingLine } from "./test/support/closing-line.ts";

export default defineConfig({
  test: {
    sequence: { shuffle: true },
    reporters: ["default", new ClosingLine()],
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/e2e/**"] },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          // Real guests share one hypervisor and two cores: one file at a time, long deadlines.
          fileParallelism: false,
          sequence: { shuffle: false },
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});

import { defineConfig } from "vitest/config";

import { ClosingLine } from "./test/support/closing-line.ts";

/** Tests that start processes: real shells, sshd, sudo, libvirt's test hypervisor, the compiled program. */
const integration = [
  "test/core/guard-script.test.ts",
  "test/deploy/{change-host,create-host,deploy-host,interrupted-deploy}.test.ts",
  "test/host/{engine-over-ssh,ssh-*,worker*}.test.ts",
  "test/archive/beside-other-programs.test.ts",
  "test/bump/pull-request.test.ts",
  "test/cli/{apply-tools,apply,binary,bump,install,install-binary,secrets}.test.ts",
  "test/image/{image-tree,seal,vagrant-box,verify-image}.test.ts",
  "test/deploy/life-over-libvirt.test.ts",
  "test/libvirt/{connection,driver,host-domains,seed}.test.ts",
  "test/pins/artifact-cache.test.ts",
  "test/tasks/{apt,dotfiles,nvidia-driver,tools}-script.test.ts",
  "test/tools/download-script.test.ts",
  "test/launcher.test.ts",
];

export default defineConfig({
  test: {
    sequence: { shuffle: true },
    reporters: ["default", new ClosingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // No test mocks a module or leaves a global behind: one process can serve many files.
          pool: "threads",
          isolate: false,
          // They take milliseconds; a machine that has other work is no reason to fail.
          testTimeout: 30_000,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/profiles/**", "test/trials/**", "test/vagrant/**", ...integration],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: integration,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      ...["e2e", "profiles", "trials", "vagrant"].map((name) => ({
        extends: true as const,
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          // Real guests share one hypervisor and two cores: one file at a time, long deadlines.
          fileParallelism: false,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      })),
    ],
  },
});

import { defineConfig } from "vitest/config";

import { ClosingLine } from "./test/support/closing-line.ts";
import { LongestFirst } from "./test/support/longest-first.ts";

/** Tests that start processes: real shells, sshd, sudo, libvirt's test hypervisor, the compiled program. */
const integration = [
  "test/core/guard-script.test.ts",
  "test/deploy/{change-host,create-host,deploy-host,interrupted-deploy}.test.ts",
  "test/host/{engine-over-ssh,ssh-*,worker*}.test.ts",
  "test/archive/beside-other-programs.test.ts",
  "test/bump/pull-request.test.ts",
  "test/cli/{apply-tools,apply,binary,bump,install,install-binary,open-target,secrets}.test.ts",
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
    sequence: { shuffle: { files: false, tests: true }, sequencer: LongestFirst },
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
          // They wait for other programs more than they compute. Other numbers of workers take groups of their own.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      ...["e2e", "profiles", "trials", "vagrant"].map((name) => ({
        extends: true as const,
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          // Two files at a time keep two cores busy, by guests of one processor: without KVM, guests of two wait for
          // each other's (two at once boot in 145 s, those of one in 125 s). What files share, the hypervisor above
          // all, they know by names of their own. Long deadlines.
          env: { PROVISION_CPUS: "1" },
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      })),
    ],
  },
});

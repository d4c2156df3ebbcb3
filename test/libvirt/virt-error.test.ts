import { expect, it } from "vitest";

import { condition } from "../../src/provisioner/libvirt/domains.ts";
import { openFailed } from "../../src/provisioner/libvirt/virt-error.ts";

const uri = "qemu:///system";
const error = { code: 38, domain: 7, message: "why", errno: 0 };

it.each([
  ["no socket", { errno: 2 }, "LIBVIRT_DOWN", /libvirtd -d/],
  ["nobody listens", { errno: 111 }, "LIBVIRT_DOWN", /systemctl start libvirtd/],
  ["the socket is closed to us", { errno: 13 }, "LIBVIRT_DENIED", /usermod -aG libvirt/],
  ["polkit says no", { code: 45 }, "LIBVIRT_DENIED", /usermod/],
  ["no polkit agent", { code: 94 }, "LIBVIRT_DENIED", /usermod/],
  ["no D-Bus to ask polkit by", { code: 1, domain: 47 }, "LIBVIRT_DENIED", /polkit/],
  ["anything else", { code: 5 }, "LIBVIRT_FAILED", /virsh/],
])("tells %s from other failures to open", (_title, change, code, mend) => {
  const found = openFailed(uri, { ...error, ...change });

  expect(found).toMatchObject({ code, mend: expect.stringMatching(mend) });
});

it.each([
  [1, 1, "running", undefined],
  [3, 1, "paused", undefined],
  [3, 5, "paused", /disk may be full/],
  [3, 0, "paused", /internal error/],
  [5, 1, "shut-off", undefined],
  [5, 5, "shut-off", undefined],
  [5, 2, "shut-off", /from outside/],
  [5, 3, "shut-off", /crashed/],
  [6, 1, "crashed", /panicked/],
  [0, 0, "other", undefined],
] as const)("reads state %i for reason %i", (state, reason, name, trouble) => {
  const found = condition(state, reason);

  expect(found.state).toBe(name);
  expect(found.trouble ?? "").toMatch(trouble ?? /^$/);
});

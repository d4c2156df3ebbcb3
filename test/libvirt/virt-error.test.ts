import { expect, it } from "vitest";

import { openFailed, virtCodes } from "../../src/provisioner/libvirt/virt-error.ts";

const uri = "qemu:///system";

it.each([
  ["its socket is closed to this user", { code: virtCodes.systemError, errno: 13 }, "LIBVIRT_DENIED"],
  ["a policy refuses this user", { code: virtCodes.authUnavailable, errno: 0 }, "LIBVIRT_DENIED"],
  ["nobody listens on its socket", { code: virtCodes.systemError, errno: 111 }, "LIBVIRT_DOWN"],
  ["its socket is not there", { code: virtCodes.systemError, errno: 2 }, "LIBVIRT_DOWN"],
  ["it fails otherwise", { code: 1, errno: 0 }, "LIBVIRT_FAILED"],
])("when %s, %j is %s", (_, error, code) => {
  const failed = openFailed(uri, { domain: 7, message: "libvirt's words", ...error });

  expect(failed.code).toBe(code);
  expect(failed.message).toContain("libvirt's words");
});

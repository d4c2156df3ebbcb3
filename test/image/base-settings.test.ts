import { expect, it } from "vitest";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";

const user = { home: "/home/sam", isRoot: false };

it("keeps root's cache where the hypervisor's user can reach it", () => {
  expect(baseSettings({ env: {}, home: "/root", isRoot: true }).cacheDir).toBe("/var/cache/provision");
  expect(baseSettings({ env: {}, ...user }).cacheDir).toBe("/home/sam/.cache/provision");
});

it("reads mirrors in the order they are written", () => {
  const env = { PROVISION_MIRRORS: "https://a/?x=1=http://m1/  https://b/=https://m2/" };

  expect(baseSettings({ env, ...user }).mirrors).toEqual([
    { of: "https://a/?x=1", use: ["http://m1/"] },
    { of: "https://b/", use: ["https://m2/"] },
  ]);
});

it.each([
  ["PROVISION_CACHE", "relative/path"],
  ["PROVISION_APT_BUCKET_DAYS", "0"],
  ["PROVISION_APT_BUCKET_DAYS", "weekly"],
  ["PROVISION_MIRRORS", "https://only-one/"],
])("refuses %s=%s", (name, value) => {
  expect(() => baseSettings({ env: { [name]: value }, ...user })).toThrow(
    expect.objectContaining({
      code: "SETTING_INVALID",
      message: expect.stringContaining(name) as string,
    }) as Error,
  );
});

import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { exampleKey } from "../../src/tasks/apt-repository/example-key.ts";
import { aptRepository } from "../../src/tasks/apt-repository/index.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { someRepository } from "../support/some-repository.ts";
import { complaints, refusal, settle, sourcesOf } from "../support/tasks.ts";

const pinned = [exampleKey.fingerprint];
const vendor = {
  name: "vendor",
  uris: ["https://packages.example.org/debian"],
  suites: ["trixie"],
  components: ["main", "extra"],
  architectures: ["amd64"],
  key: { content: exampleKey.text, fingerprints: pinned },
};

describe("apt-repository", () => {
  it("writes the key, reads the lists on trial, and only then writes the sources", async () => {
    const host = emptyMachine();

    await settle(aptRepository, vendor, host);

    expect(host.files.read("/etc/apt/keyrings/vendor.asc")).toBe(exampleKey.text);
    expect(host.files.read("/etc/apt/sources.list.d/vendor.sources")).toBe(
      "Types: deb\nURIs: https://packages.example.org/debian\nSuites: trixie\nComponents: main extra\n" +
        "Architectures: amd64\nSigned-By: /etc/apt/keyrings/vendor.asc\n",
    );
    expect(host.journal.filter((line) => !line.startsWith("directory"))).toEqual([
      "write /etc/apt/keyrings/vendor.asc",
      "write /var/lib/provision/trial/vendor.sources",
      "run provision-apt-update 600 /var/lib/provision/trial/vendor.sources",
      "remove /var/lib/provision/trial",
      "write /var/lib/provision/stamps/apt-repository-vendor",
      "write /etc/apt/sources.list.d/vendor.sources",
    ]);
  });

  it("reads the lists again after a change, and after a reading that failed", async () => {
    const host = emptyMachine();
    await settle(aptRepository, vendor, host);
    host.program("provision-apt-update", () => ({ code: 100, stderr: "E: Failed to fetch" }));
    const changed = { ...vendor, suites: ["forky"] };
    await expect(settle(aptRepository, changed, host)).rejects.toMatchObject({
      facts: { tail: "E: Failed to fetch" },
    });
    host.program("provision-apt-update", () => 0);
    host.journal.length = 0;

    await settle(aptRepository, changed, host);

    expect(host.journal).toContainEqual(expect.stringMatching(/^run provision-apt-update/));
  });

  it("leaves apt as it was when the repository does not answer", async () => {
    const host = emptyMachine();
    host.program("provision-apt-update", () => ({ code: 100, stderr: "E: Failed to fetch" }));

    await expect(settle(aptRepository, vendor, host)).rejects.toMatchObject({ code: "ACTION_FAILED" });

    expect(host.files.stat("/etc/apt/sources.list.d/vendor.sources")).toBeUndefined();
  });

  it("takes the fingerprint in gpg's spaced form, and the key from beside the spec", async () => {
    const spaced = exampleKey.fingerprint.toLowerCase().replace(/(.{4})(?=.)/g, "$1 ");
    const key = { source: "keys/vendor.asc", fingerprints: [spaced] };
    const host = emptyMachine();

    await settle(aptRepository, { ...vendor, key }, host, {
      sources: sourcesOf({ "keys/vendor.asc": exampleKey.text }),
    });

    expect(host.files.read("/etc/apt/keyrings/vendor.asc")).toBe(exampleKey.text);
  });

  it("changes nothing when the key is another one than pinned", async () => {
    const host = emptyMachine();
    const key = { ...vendor.key, fingerprints: ["0".repeat(40)] };

    await expect(settle(aptRepository, { ...vendor, key }, host)).rejects.toMatchObject(
      refusal(new RegExp(`must have the fingerprint 0{40}, has ${exampleKey.fingerprint}`)),
    );
    expect(host.journal).toEqual([]);
  });

  it("refuses a pinned key that is not there, too", async () => {
    const key = { ...vendor.key, fingerprints: [...pinned, "0".repeat(40)] };

    await expect(settle(aptRepository, { ...vendor, key }, emptyMachine())).rejects.toMatchObject(
      refusal(/must hold 0{40}/),
    );
  });

  it("leaves no key behind when a keyring takes its place", async () => {
    const host = emptyMachine();
    await settle(aptRepository, vendor, host);
    const { key: _, ...rest } = vendor;

    await settle(aptRepository, { ...rest, keyring: "/usr/share/keyrings/vendor.gpg" }, host);

    expect(host.files.stat("/etc/apt/keyrings/vendor.asc")).toBeUndefined();
  });

  it("removes all that it wrote", async () => {
    const host = emptyMachine();
    const before = host.files.paths();
    await settle(aptRepository, vendor, host);

    await settle(aptRepository, { name: "vendor", state: "absent" }, host);

    const left = host.files.paths().filter((path) => !before.includes(path));
    expect(left.filter((path) => host.files.stat(path)?.type === "file")).toEqual([]);
  });

  it("wants components unless the repository is flat", async () => {
    const { components: _, ...none } = vendor;

    await expect(settle(aptRepository, none, emptyMachine())).rejects.toMatchObject(
      refusal(/must have components/),
    );
    await expect(settle(aptRepository, { ...vendor, suites: ["./"] }, emptyMachine())).rejects.toMatchObject(
      refusal(/must have no components/),
    );
    await expect(settle(aptRepository, { ...none, suites: ["./"] }, emptyMachine())).resolves.toBeDefined();
  });

  it.each([
    ["a repository and a place", { ...vendor, pinned: "vendor" }, /"pinned"/],
    ["a repository and a key", { name: "vendor", pinned: "vendor", key: vendor.key }, /"pinned"|no "uris"/],
    ["a name alone", { name: "vendor" }, /"uris"|"suites"|state/],
    ["no key and no keyring", { ...vendor, key: undefined }, /"key"/],
    ["both a key and a keyring", { ...vendor, keyring: "/usr/share/keyrings/a.gpg" }, /"key" or "keyring"/],
    ["a key without a fingerprint", { ...vendor, key: { content: exampleKey.text } }, /fingerprints/],
    ["a short fingerprint", { ...vendor, key: { ...vendor.key, fingerprints: ["ABCD"] } }, /fingerprints/],
    ["another scheme", { ...vendor, uris: ["ftp://x"] }, /uris/],
    ["a blank in a URI", { ...vendor, uris: ["https://x y"] }, /uris/],
    ["a field that is smuggled in", { ...vendor, suites: ["a\nTrusted: yes"] }, /suites/],
    ["a name that is a path", { ...vendor, name: "../x" }, /name/],
  ])("does not accept %s", (_what, params, reason) => {
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));

    expect(complaints(aptRepository, given).join("\n")).toMatch(reason);
  });
});

describe("apt-repository of versions.yaml", () => {
  const params = { name: "agent", pinned: "agent" };
  const keyFile = "/etc/apt/keyrings/agent.asc";
  const preferences = "/etc/apt/preferences.d/agent.pref";

  function debian(osRelease = "ID=debian\nVERSION_CODENAME=trixie\n") {
    const host = emptyMachine();
    host.files.write("/etc/os-release", osRelease);
    return host;
  }

  /** Notes which keys were asked for. */
  function noting(changes: Parameters<typeof someRepository>[1] = {}) {
    const fetched: string[] = [];
    const sources = {
      ...sourcesOf(),
      repository: async (name: string) => someRepository(name, changes),
      obtainKey: async (...given: Parameters<ReturnType<typeof sourcesOf>["obtainKey"]>) => {
        fetched.push(given[0].key.url);
        return sourcesOf().obtainKey(...given);
      },
    };
    return { fetched, sources };
  }

  it("fills in what the machine says of itself", async () => {
    const host = debian('ID=ubuntu\nVERSION_CODENAME="noble"\n');

    await settle(aptRepository, params, host);

    expect(host.files.read("/etc/apt/sources.list.d/agent.sources")).toBe(
      "Types: deb\nURIs: https://packages.example.org/ubuntu/noble\nSuites: noble\nComponents: main\n" +
        "Signed-By: /etc/apt/keyrings/agent.asc\n",
    );
    expect(host.files.read(keyFile)).toBe(exampleKey.text);
  });

  it("refuses a machine that does not say its codename", async () => {
    const host = debian("ID=debian\n");

    await expect(settle(aptRepository, params, host)).rejects.toMatchObject(
      refusal(/os-release must say VERSION_CODENAME/),
    );
    expect(host.journal).toEqual([]);
  });

  it("fetches the key once, and neither for a plan nor for a run with nothing to do", async () => {
    const { fetched, sources } = noting();
    const host = debian();

    await settle(aptRepository, params, host, { sources, check: true });
    expect(fetched).toEqual([]);
    await settle(aptRepository, params, host, { sources });
    await settle(aptRepository, params, host, { sources });

    expect(fetched).toEqual(["https://packages.example.org/key.asc"]);
  });

  it("leaves another text of the same key as it is, and replaces another key", async () => {
    const { fetched, sources } = noting();
    const host = debian();
    await settle(aptRepository, params, host, { sources });
    host.files.write(keyFile, exampleKey.text.replace("BLOCK-----\n\n", "BLOCK-----\nComment: mine\n\n"));

    const same = await settle(aptRepository, params, host, { sources });
    host.files.write(keyFile, "no key at all");
    const other = await settle(aptRepository, params, host, { sources });

    expect([same.changed, other.changed]).toEqual([0, 1]);
    expect(fetched).toHaveLength(2);
    expect(host.files.read(keyFile)).toBe(exampleKey.text);
  });

  it("changes nothing when the key is not to be had", async () => {
    const host = debian();
    const sources = {
      ...sourcesOf(),
      obtainKey: async () => {
        throw new ProvisionError("KEY_DIFFERS", { name: "the key of agent", url: "x", reason: "it differs" });
      },
    };

    await expect(settle(aptRepository, params, host, { sources })).rejects.toMatchObject({
      code: "KEY_DIFFERS",
      where: { file: "test.yaml", line: 1, column: 1 },
    });
    expect(host.journal).toEqual([]);
  });

  it("lets only the pinned version of a package be installed, until nothing is pinned", async () => {
    const host = debian();
    const { sources } = noting({ packages: { "agent-core": "1.2-1" } });

    await settle(aptRepository, params, host, { sources });
    const text = host.files.read(preferences);
    await settle(aptRepository, params, host);

    expect(text).toBe(
      "Package: agent-core\nPin: version 1.2-1\nPin-Priority: 1001\n\n" +
        "Package: agent-core\nPin: version *\nPin-Priority: -1\n",
    );
    expect(host.files.stat(preferences)).toBeUndefined();
  });

  it("reads the lists again when another key is pinned", async () => {
    const host = debian();
    await settle(aptRepository, params, host);
    host.files.write("/var/lib/provision/stamps/apt-repository-agent", "of another key");
    host.journal.length = 0;

    await settle(aptRepository, params, host);

    expect(host.journal).toContainEqual(expect.stringMatching(/^run provision-apt-update/));
  });
});

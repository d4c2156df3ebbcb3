import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { loadSpec } from "../../src/provisioner/cli/compose.ts";
import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** A key's first and last line alone: nobody's key. */
const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

interface Loaded {
  /** `line:column what` */
  readonly complaints: readonly string[];
  readonly mend: string | undefined;
}

async function load(
  tasks: string,
  options: { readonly forHost?: boolean; readonly beside?: Readonly<Record<string, string>> } = {},
): Promise<Loaded> {
  const folder = await scratchFolder();
  const file = join(folder, "web.yaml");
  await writeFile(file, `base: debian-13\ntasks:\n${tasks}\n`);
  for (const [name, text] of Object.entries(options.beside ?? {})) await writeFile(join(folder, name), text);
  const shell = { env: { PROVISION_HOME: folder }, cwd: folder };
  const error: unknown = await loadSpec(file, shell, { forHost: options.forHost ?? false }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProvisionError)) return { complaints: [], mend: undefined };
  const { facts, mend } = error as ProvisionError<"SPEC_INVALID">;
  const complaints = facts.complaints.map(
    ({ where, what }) => `${where.file}:${where.line}:${where.column} ${what}`,
  );
  return { complaints, mend };
}

function fileAt(path: string): string {
  return `  - file: {path: ${path}, content: x}`;
}

describe("an image", () => {
  it.each([
    ["/etc/hostname", "a host name"],
    ["/etc/machine-id", "the machine's id"],
    ["/etc/ssh/ssh_host_ed25519_key", "an SSH host key"],
    ["/etc/ssh/authorized_keys", "who may log in by key"],
    ["/root/.ssh/config", "a person's SSH settings"],
    ["/home/alice/.profile", "a person's home"],
    ["/etc/sudoers.d/alice", "a right of sudo"],
    ["/etc/subuid", "the list of users"],
    ["/etc/netplan/10-lan.yaml", "a network address"],
    ["/etc/wireguard/wg0.conf", "a network address"],
    ["/var/spool/cron/crontabs/alice", "a user's job"],
    ["/var/lib/systemd/linger/alice", "a user whose services linger"],
  ])("may not hold %s: %s", async (path, what) => {
    const { complaints } = await load(fileAt(path));

    expect(complaints).toEqual([
      `web.yaml:3:5 Cannot put file ${path} into an image: must be nobody's, brings ${what} ("${path}")`,
    ]);
  });

  it.each([
    "/etc/hosts",
    "/etc/hostname.d/x",
    "/etc/ssh/sshd_config.d/10-x.conf",
    "/etc/ssh/ssh_config",
    "/opt/home/x",
    "/etc/sudo.conf",
    "/usr/share/doc/authorized_keys.txt",
    "/etc/cron.d/x",
  ])("may hold %s", async (path) => {
    expect(await load(fileAt(path))).toMatchObject({ complaints: [] });
  });

  it("is nobody's whatever the task, and says all that is wrong at once, with one mend", async () => {
    const { complaints, mend } = await load(
      [
        "  - user: {name: alice}",
        "  - directory: {path: /home/alice}",
        "  - symlink: {path: /root/.ssh, target: /srv/keys}",
        "  - command: {name: name, argv: [hostnamectl, set-hostname, web1], creates: /x}",
        "  - user: {name: _exporter, system: true}",
      ].join("\n"),
    );

    expect(complaints).toEqual([
      "web.yaml:3:5 Cannot put user alice into an image: must be nobody's, brings the user alice (one for a service says `system: true`)",
      "web.yaml:4:5 Cannot put directory /home/alice into an image: must be nobody's, brings a person's home (\"/home/alice\")",
      "web.yaml:5:5 Cannot put symlink /root/.ssh into an image: must be nobody's, brings a person's SSH settings (\"/root/.ssh\")",
      "web.yaml:6:5 Cannot put command name into an image: must be nobody's, brings a host name",
    ]);
    expect(mend).toBe(
      "Leave it out of the image: give it to each machine by its cloud-init seed, or settle it there with `provision apply`",
    );
  });

  it.each([
    "  - absent: {path: /etc/hostname}",
    "  - absent: {path: /home/guest, recursive: true}",
    "  - user: {name: guest, state: absent}",
    "  - directory: {path: /home}",
    "  - directory: {path: /etc/sudoers.d}",
  ])("may be rid of such things: %s", async (tasks) => {
    expect(await load(tasks)).toMatchObject({ complaints: [] });
  });

  it.each(["PRIVATE KEY", "OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])(
    "holds no %s, neither in a text nor in a variable nor in a file beside the spec",
    async (kind) => {
      const text = JSON.stringify(`# for the shop\n${pem(kind)}`);
      const { complaints } = await load(
        [
          `  - file: {path: /etc/app.key, content: ${text}}`,
          `  - command: {name: app, argv: [app], creates: /x, environment: {KEY: ${text}}}`,
          "  - file: {path: /etc/other.key, source: other.key}",
          "  - file: {path: /etc/fine, source: fine}",
        ].join("\n"),
        { beside: { "other.key": pem(kind), fine: pem("PUBLIC KEY") } },
      );

      expect(complaints).toEqual([
        "web.yaml:3:5 Cannot put file /etc/app.key into an image: must be nobody's, brings a private key",
        "web.yaml:4:5 Cannot put command app into an image: must be nobody's, brings a private key",
        'web.yaml:5:5 Cannot put file /etc/other.key into an image: must be nobody\'s, brings a private key ("other.key")',
      ]);
    },
  );

  it("holds no secret, whoever's it is", async () => {
    const { complaints } = await load(
      "  - file: {path: /etc/app.key, secret: {file: ~/app.key}}\n" +
        "  - file: {path: /etc/other.key, secret: {env: OTHER}, mode: '0640'}",
    );

    expect(complaints).toEqual([
      'web.yaml:3:5 Cannot put file /etc/app.key into an image: must be nobody\'s, brings a secret (the file "~/app.key")',
      'web.yaml:4:5 Cannot put file /etc/other.key into an image: must be nobody\'s, brings a secret (the variable "OTHER")',
    ]);
  });

  it("holds no key that a machine would make for itself", async () => {
    const { complaints } = await load("  - wireguard: {interface: wg0, address: [10.0.0.1/24]}");

    expect(complaints).toEqual([
      'web.yaml:3:5 Cannot put wireguard wg0 into an image: must be nobody\'s, brings a network address ("/etc/wireguard/wg0.conf")',
    ]);
  });

  it("keeps the mend of the spec when something else is wrong as well", async () => {
    const { complaints, mend } = await load("  - user: {name: alice}\n  - file: {path: nowhere, content: x}");

    expect(complaints).toHaveLength(2);
    expect(mend).toMatch(/^Correct the spec/);
  });
});

it("leaves alone what is settled on a host", async () => {
  const tasks = `  - user: {name: alice}\n${fileAt("/etc/hostname")}`;

  expect(await load(tasks, { forHost: true })).toMatchObject({ complaints: [] });
});

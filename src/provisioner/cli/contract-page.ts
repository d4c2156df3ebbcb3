import type { Clause } from "../image/contract/clause.ts";
import { contract } from "../image/contract/contract.ts";
import { hygiene } from "../image/hygiene.ts";

const opening = `# The contract of an image

A golden image is nobody's, nowhere's and clean: it holds no user, no key and no trace of the machine it was made on,
and a machine that boots from it takes its whole identity from its seed. \`provision build\` holds each image to this
before it publishes it; \`provision verify IMAGE\` does it again with any image, and prints a table of what was held.

The files are looked at without booting or mounting the image. Then a copy boots on a disk 2 GiB larger than the
image, under a user, a key, a host key and a host name made for the occasion, and is rebooted twice. An image whose
files break a promise is not booted. With \`--json\` each look is an event of kind \`assertion\` that names the promise by
its id and the moment (\`files\`, \`first boot\`, \`reboot 1\`, \`reboot 2\`).

What the image must not hold is removed by the seal, the builder's last act, from the very table that is checked
(\`image/hygiene.ts\`). The stamps under \`/var/lib/provision/stamps\` stay: by them a second run on a machine of the
image knows that there is nothing to do. Locks and the logs of long actions are under \`/run\` and end with the builder.`;

/** docs/image-contract.md: every promise and where it is checked, and what two builds of one image do not share. */
export function contractPage(): string {
  return [
    opening,
    "## Every image",
    promises(contract.filter(({ readOnlyRoot }) => readOnlyRoot !== true)),
    "## Images with a read-only root",
    promises(contract.filter(({ readOnlyRoot }) => readOnlyRoot === true)),
    "## What the seal removes",
    "Nothing of these is there; `*` stands for anything.",
    removals(),
    differences,
    "",
  ].join("\n\n");
}

function promises(clauses: readonly Clause[]): string {
  const rows = clauses.map(({ id, what, files, guest }) => {
    const asked = [files, guest?.from === 0, guest].map((each) => (each ? "yes" : "-"));
    return [`\`${id}\``, what, ...asked];
  });
  return markdown(["Id", "Promise", "Files", "First boot", "Each reboot"], rows);
}

function removals(): string {
  const rows = hygiene.map(
    ({ what, absent = [], bare = [], noFilesBelow = [], noNamesBelow, empty = [] }) => [
      what,
      [
        ...absent.map(code),
        ...bare.map((path) => `all in ${code(path)}`),
        ...noFilesBelow.map((path) => `files below ${code(path)}`),
        ...(noNamesBelow
          ? [`${noNamesBelow.names.map(code).join(", ")} below ${code(noNamesBelow.below)}`]
          : []),
        ...empty.map((path) => `what is in ${code(path)}`),
      ].join(", "),
    ],
  );
  return markdown(["Promise", "Removed"], rows);
}

function markdown(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

const differences = `## Built twice

Two builds of the same inputs have the same manifest apart from its times, its version and the digest of the file. The
base is the same bytes in both: it is cached by the digest of all that it is made of. What the builder did to it on
top is the same in content, and yet the two files differ bit by bit:

| What differs | Why |
| --- | --- |
| times in the inodes, and in the super blocks those of the last mount, write and check | the builder's kernel writes its clock |
| blocks and inodes that new files got, the order in directories, the journals of ext4 | they follow from the order in which the builder's processes wrote |
| \`/etc/provision-image\` of a read-only image | it holds the version, which begins with the date |
| an initramfs that was made in the builder | the archive holds the times of its files; a build that installs nothing with a hook keeps the base's |
| compiled Python (\`*.pyc\`) of packages that the build installed | each names the time of its source |
| \`/var/cache/ldconfig/aux-cache\` | it lists libraries by inode and time of change |
| kernel modules that dkms built | they are signed with a key made for the occasion, which the seal removes |
| \`/var/lib/provision/stamps\` | the times of the files; what they hold is the same |

What the builder would otherwise leave of itself, such as logs, leases, seeds and ids, is removed by the seal and so
cannot differ.

Measured on two builds of \`base\`: the partition table and the ESP are the same bytes; of 11 448 files on root and state
one differs in content, \`/var/cache/ldconfig/aux-cache\`. The rows about Python, the initramfs and kernel modules are for
profiles that install such things, and were reasoned, not measured.`;

import { entry } from "./entry.ts";

/** What goes wrong with an image, from its build to its use. */
export const images = {
  DISK_TOO_SMALL: entry<{ base: string; part: string; neededGiB: number; hasGiB: string; mend: string }>({
    exit: 2,
    say: ({ base, part, neededGiB, hasGiB }) =>
      `Cannot build on ${base}: ${part} must have ${neededGiB} GiB, has ${hasGiB} GiB`,
    mend: ({ mend }) => mend,
  }),
  CLOUD_INIT_FAILED: entry<{ host: string; complaints: readonly string[]; tail: string }>({
    exit: 4,
    say: ({ host, complaints, tail }) =>
      `Cannot use ${host}: cloud-init must end without errors, says ${complaints.join("; ")}${tail && `\n${tail}`}`,
    mend: () =>
      "Correct what cloud-init complains of in the seed or the base; its whole log is /var/log/cloud-init.log",
  }),
  SEAL_FAILED: entry<{ reason: string }>({
    exit: 5,
    say: ({ reason }) => `Cannot seal the image: ${reason}`,
    mend: () => "Build again with --keep-on-error and run /run/provision-seal.sh on the builder to see why",
  }),
  CONTRACT_BROKEN: entry<{ image: string; broken: readonly string[] }>({
    exit: 6,
    say: ({ image, broken }) => `Cannot vouch for "${image}": ${broken.join("\n")}`,
    mend: () => "Find the use that leaves this behind and correct the spec, then build again",
  }),
  IMAGE_MISSING: entry<{ path: string }>({
    exit: 2,
    say: ({ path }) => `Cannot find an image at "${path}"`,
    mend: () => "Run `provision images` to see what is there, or `provision build --spec NAME` to make one",
  }),
  IMAGE_UNBUILT: entry<{ image: string; spec: string; versions: readonly string[] }>({
    exit: 2,
    say: ({ image }) => `Cannot find image "${image}": no such image was built here`,
    mend: ({ spec, versions }) =>
      versions.length === 0
        ? `Run \`provision build --spec ${spec}\``
        : `Name one of ${versions.map((version) => `${spec}@${version}`).join(", ")}, or "${spec}" for the newest`,
  }),
  IMAGE_UNFIT: entry<{ path: string; is: string }>({
    exit: 2,
    say: ({ path, is }) => `Cannot start a host from "${path}": it must be a whole qcow2 image, is ${is}`,
    mend: ({ path }) => `Run \`qemu-img convert -O qcow2 ${path} WHOLE.qcow2\`, and name that one`,
  }),
  IMAGE_DAMAGED: entry<{ image: string; path: string; wanted: string; got: string }>({
    exit: 5,
    say: ({ image, path, wanted, got }) =>
      `Cannot use image ${image}: the digest of "${path}" must be ${wanted}, is ${got}`,
    mend: () => "Build it anew with `provision build --force`; find out what has changed the file",
  }),
} as const;

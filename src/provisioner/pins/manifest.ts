import { Type } from "../core/schema.ts";
import type { Static } from "typebox";

import { driverEntrySchema } from "./driver-entry.ts";
import { repositoryEntrySchema } from "./repository-entry.ts";
import { toolEntrySchema } from "./tool-entry.ts";

const closed = { additionalProperties: false };

const architecture = Type.Literal("amd64", { description: "Architecture, in Debian's words" });

/** Those that core/traits.ts knows; another one is another row there. */
const distribution = Type.Union(
  [Type.Literal("debian-12"), Type.Literal("debian-13"), Type.Literal("ubuntu-24.04")],
  { description: "Distribution and release, as package URLs have it: debian-13" },
);

const source = Type.Object(
  {
    url: Type.String({ pattern: "^https?://", description: "Root of a Debian archive" }),
    suites: Type.Array(Type.String({ pattern: "^[a-z][a-z0-9/-]*$" }), { minItems: 1 }),
    components: Type.Array(Type.String({ pattern: "^[a-z][a-z0-9-]*$" }), { minItems: 1 }),
  },
  { ...closed, description: "A signed archive; also written to the image's own list of sources" },
);

const size = (what: string) =>
  Type.Integer({ minimum: 1, maximum: 1024, description: `Size of ${what}, in GiB` });

const bootstrap = Type.Object(
  {
    kind: Type.Literal("bootstrap", { description: "Made here from a signed archive" }),
    suite: Type.String({ pattern: "^[a-z][a-z0-9-]*$", description: "Release to bootstrap: trixie" }),
    distribution,
    architecture,
    keyring: Type.String({
      pattern: "^/",
      description: "Keys of the archive, on this machine and in the image",
    }),
    sources: Type.Array(source, { minItems: 1 }),
    packages: Type.Array(Type.String({ pattern: "^[a-z0-9][a-z0-9+.-]+$" }), {
      minItems: 1,
      uniqueItems: true,
      description: "What is installed beside the essential packages and apt",
    }),
    driver: Type.Optional(
      Type.String({
        pattern: "^[a-z0-9][a-z0-9-]*$",
        description: "Driver of `drivers` that is built into it, with the kernel that one is pinned with",
      }),
    ),
    disk: Type.Optional(
      Type.Object(
        {
          rootGiB: size("the root file system, fixed for good"),
          stateGiB: size("the state file system, which grows"),
        },
        { ...closed, description: "6 and 2 when left out; unused space costs nothing" },
      ),
    ),
  },
  closed,
);

const cloudImage = Type.Object(
  {
    kind: Type.Literal("cloud-image", { description: "The vendor's own disk image, qcow2" }),
    distribution,
    architecture,
    version: Type.String({
      minLength: 1,
      description: "The vendor's build; quoted, or YAML makes a number of it",
    }),
    url: Type.String({ pattern: "^https?://" }),
    sha256: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
    sha512: Type.Optional(Type.String({ pattern: "^[0-9a-f]{128}$" })),
  },
  {
    ...closed,
    // Either will do; neither would mean to run whatever the mirror serves.
    anyOf: [{ required: ["sha256"] }, { required: ["sha512"] }],
  },
);

/** The schema of versions.yaml: every outside thing that is pinned. */
export const manifestSchema = Type.Object(
  {
    mirrors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            of: Type.String({ pattern: "^https?://", description: "How the original URLs begin" }),
            use: Type.Array(Type.String({ pattern: "^https?://" }), { minItems: 1 }),
          },
          closed,
        ),
        { description: "Where downloads are looked for before their own URL; digests hold all the same" },
      ),
    ),
    bases: Type.Record(
      Type.String({ pattern: "^[a-z0-9][a-z0-9.-]*$" }),
      Type.Union([bootstrap, cloudImage]),
      { description: "What an image can start from, by the name a spec uses" },
    ),
    drivers: Type.Optional(
      Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }), driverEntrySchema, {
        description: "Drivers that are built for a kernel, pinned together with it",
      }),
    ),
    tools: Type.Optional(
      Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9._+-]*$" }), toolEntrySchema, {
        description: "Programs, by the name people call the project",
      }),
    ),
    repositories: Type.Optional(
      Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }), repositoryEntrySchema, {
        description: "Package repositories of vendors, by the name that `pinned` of apt-repository has",
      }),
    ),
  },
  closed,
);

/** versions.yaml. */
export type Manifest = Static<typeof manifestSchema>;

/** A base made here. */
export type BootstrapEntry = Static<typeof bootstrap>;

/** A base a vendor made. */
export type CloudImageEntry = Static<typeof cloudImage>;

/** Other places of the same bytes. */
export type Mirrors = NonNullable<Manifest["mirrors"]>;

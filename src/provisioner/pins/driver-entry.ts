import { Type } from "../core/schema.ts";

const closed = { additionalProperties: false };

/** What one distribution gets of a driver. */
const driverPin = Type.Object(
  {
    version: Type.String({
      pattern: "^[0-9][0-9A-Za-z.+~-]*$",
      description: "The driver's own version, as modinfo says it; quoted, or YAML makes a number of it",
    }),
    flavour: Type.Union([Type.Literal("open"), Type.Literal("proprietary")], {
      description: "Which of the vendor's two kernel modules",
    }),
    kernel: Type.String({
      pattern: "^[0-9][0-9A-Za-z.+~-]*$",
      description: "Release of the kernel that it was seen to build for, as `uname -r` says it",
    }),
    module: Type.String({
      pattern: "^[a-z][a-z0-9_-]*$",
      description: "The module's file name without .ko; distributions rename it",
    }),
    packages: Type.Array(Type.String({ pattern: "^[a-z0-9][a-z0-9+.-]+=[A-Za-z0-9.+:~-]+$" }), {
      minItems: 1,
      uniqueItems: true,
      description: "Debian packages as name=version: that kernel, its headers, the driver and what uses it",
    }),
  },
  closed,
);

/** A driver in versions.yaml: by distribution. */
export const driverEntrySchema = Type.Record(Type.String({ pattern: "^[a-z]+-[0-9.]+$" }), driverPin, {
  minProperties: 1,
  description: "By distribution and release: debian-13",
});

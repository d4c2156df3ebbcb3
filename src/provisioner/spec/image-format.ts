import { type Format, nameFormat } from "./formats.ts";

/** A text that must say what a host starts from: a spec's image, one version of it, or the path of a file. */
export function imageFormat(specs: readonly string[]): Format {
  return (value) => {
    if (value.includes("/")) return undefined;
    if (value.endsWith(".qcow2")) return `must have a slash when it is a file ("./${value}"), is "${value}"`;
    const [name = "", version, ...more] = value.split("@");
    const says = nameFormat("spec", specs)(name);
    if (says !== undefined || version === undefined) return says;
    // As `newVersion` of the image store makes them.
    if (more.length === 0 && /^\d{8}-[0-9a-f]{8}(\.\d+)?$/.test(version)) return undefined;
    return `must have a version behind "@" (20260131-0a1b2c3d), is "${value}"`;
  };
}

import { XMLParser } from "fast-xml-parser";

import { escape } from "./networks.ts";
import type { NewVolume, Volume } from "./volumes.ts";

/** A volume to be, as libvirt's XML. */
export function volumeXml({ name, format, capacity, backing }: NewVolume): string {
  const below =
    backing === undefined
      ? ""
      : `<backingStore><path>${escape(backing.path)}</path><format type='${backing.format}'/></backingStore>`;
  return (
    `<volume><name>${escape(name)}</name><capacity unit='bytes'>${capacity}</capacity>` +
    `<target><format type='${format}'/></target>${below}</volume>`
  );
}

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, htmlEntities: true });

/** A volume as libvirt describes it; sizes come in bytes, whatever they were made with. */
export function readVolumeXml(xml: string): Volume {
  const { volume } = parser.parse(xml) as { readonly volume?: Readonly<Record<string, unknown>> };
  const at = (element: unknown, name: string) =>
    typeof element === "object" && element !== null ? (element as Record<string, unknown>)[name] : undefined;
  const words = (value: unknown) => (typeof value === "string" ? value : "");
  const allocation = Number(words(volume?.["allocation"]));
  const backing = words(at(volume?.["backingStore"], "path"));
  const mtime = words(at(at(volume?.["target"], "timestamps"), "mtime"));
  return {
    name: words(volume?.["name"]),
    path: words(at(volume?.["target"], "path")),
    capacity: Number(words(volume?.["capacity"])),
    allocation,
    // The length of its file; libvirt's test hypervisor has no files.
    bytes: Number(words(volume?.["physical"]) || allocation),
    backing: backing === "" ? undefined : backing,
    modified: mtime === "" ? undefined : Number(mtime) * 1000,
  };
}

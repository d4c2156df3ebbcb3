import { distributionNamed } from "../core/distribution.ts";
import type { InstalledTool, Manifest, Package } from "./manifest.ts";

/** The image's packages and tools as a CycloneDX 1.6 document (cyclonedx.org/docs/1.6/json). */
export function sbom(manifest: Manifest, distribution: string): object {
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(manifest.key)}`,
    version: 1,
    metadata: {
      timestamp: manifest.built.at,
      tools: { components: [{ type: "application", name: "provision", version: manifest.built.provision }] },
      component: {
        type: "operating-system",
        name: manifest.name,
        version: manifest.version,
        hashes: [{ alg: "SHA-256", content: manifest.image.sha256 }],
      },
    },
    components: [
      ...manifest.packages.map((each) => component(each, distribution)),
      ...manifest.tools.map(toolComponent),
    ],
  };
}

function component({ name, version, architecture }: Package, distribution: string): object {
  // Package URLs of type deb: github.com/package-url/purl-spec, types-doc/deb-definition.md
  const { id } = distributionNamed(distribution);
  const purl = `pkg:deb/${id}/${encode(name)}@${encode(version)}?arch=${architecture}&distro=${distribution}`;
  return { type: "library", "bom-ref": purl, name, version, purl };
}

function toolComponent({ name, version, license, files }: InstalledTool): object {
  // A program by itself has no type of its own among package URLs.
  const purl = `pkg:generic/${encode(name)}@${encode(version)}`;
  return {
    type: "application",
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(license !== null && { licenses: [{ expression: license }] }),
    externalReferences: files.map(({ url, sha256 }) => ({
      type: "distribution",
      url,
      hashes: [{ alg: "SHA-256", content: sha256 }],
    })),
  };
}

/** Percent-encoding as package URLs have it: a colon stays. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":");
}

/** A UUID (version 8, RFC 9562) out of a digest: the same inputs give the same serial number. */
function uuidOf(sha256: string): string {
  const hex = `${sha256.slice(0, 12)}8${sha256.slice(13, 16)}8${sha256.slice(17, 32)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

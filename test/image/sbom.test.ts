import { describe, expect, it } from "vitest";

import { sbom } from "../../src/provisioner/image/sbom.ts";
import { someManifest } from "../support/some-manifest.ts";

const manifest = someManifest({
  key: "0123456789abcdef".repeat(4),
  packages: [
    { name: "git", version: "1:2.47.3-0+deb13u1", architecture: "amd64" },
    { name: "libc6", version: "2.41-12", architecture: "amd64" },
    { name: "libc6", version: "2.41-12", architecture: "i386" },
    { name: "libstdc++6", version: "14.2.0-19~x", architecture: "amd64" },
    { name: "tzdata", version: "2026b-0", architecture: "all" },
  ],
  tools: [
    {
      name: "yq",
      version: "2026+1",
      license: "MIT",
      files: [{ url: "https://example.com/yq", sha256: "e".repeat(64) }],
    },
    { name: "own", version: "1", license: null, files: [] },
  ],
});

/** Of bom-1.6.schema.json, what is required or has a pattern in the parts that are used. */
interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly serialNumber: string;
  readonly version: number;
  readonly metadata: {
    readonly timestamp: string;
    readonly tools: { readonly components: readonly Component[] };
    readonly component: Component & { readonly hashes: readonly { alg: string; content: string }[] };
  };
  readonly components: readonly (Component & { readonly "bom-ref": string; readonly purl: string })[];
}

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
}

const bom = sbom(manifest, "debian-13") as Bom;

describe("the list of packages as CycloneDX", () => {
  it("is a document of version 1.6 with all that its schema requires", () => {
    expect(Object.keys(bom).toSorted()).toEqual([
      "bomFormat",
      "components",
      "metadata",
      "serialNumber",
      "specVersion",
      "version",
    ]);
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(bom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(new Date(bom.metadata.timestamp).toISOString()).toBe(bom.metadata.timestamp);
    const all = [...bom.metadata.tools.components, bom.metadata.component, ...bom.components];
    expect(new Set(all.map(({ type }) => type))).toEqual(
      new Set(["application", "operating-system", "library"]),
    );
    expect(all.every(({ name, version }) => name !== "" && version !== "")).toBe(true);
  });

  it("names the image by version and digest", () => {
    expect(bom.metadata.component).toEqual({
      type: "operating-system",
      name: "web",
      version: manifest.version,
      hashes: [{ alg: "SHA-256", content: manifest.image.sha256 }],
    });
  });

  it("refers to each package by a package URL of its own", () => {
    expect(bom.components.map(({ purl }) => purl)).toEqual([
      "pkg:deb/debian/git@1:2.47.3-0%2Bdeb13u1?arch=amd64&distro=debian-13",
      "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13",
      "pkg:deb/debian/libc6@2.41-12?arch=i386&distro=debian-13",
      "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19~x?arch=amd64&distro=debian-13",
      "pkg:deb/debian/tzdata@2026b-0?arch=all&distro=debian-13",
      "pkg:generic/yq@2026%2B1",
      "pkg:generic/own@1",
    ]);
    expect(bom.components.map((each) => each["bom-ref"])).toEqual(bom.components.map(({ purl }) => purl));
    expect(new Set(bom.components.map(({ purl }) => purl)).size).toBe(bom.components.length);
  });

  it("says of a tool its licence, where it was unpacked from, and the digest of that", () => {
    const [yq, own] = bom.components.slice(-2);

    expect(yq).toMatchObject({
      type: "application",
      licenses: [{ expression: "MIT" }],
      externalReferences: [
        {
          type: "distribution",
          url: "https://example.com/yq",
          hashes: [{ alg: "SHA-256", content: "e".repeat(64) }],
        },
      ],
    });
    expect(own).not.toHaveProperty("licenses");
  });

  it("has the same serial number for the same inputs, and another for others", () => {
    const other = sbom({ ...manifest, key: "f".repeat(64) }, "debian-13") as Bom;

    expect((sbom(manifest, "debian-13") as Bom).serialNumber).toBe(bom.serialNumber);
    expect(other.serialNumber).not.toBe(bom.serialNumber);
  });
});

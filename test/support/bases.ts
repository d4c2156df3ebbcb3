import { join } from "node:path";

import type { BootstrapEntry } from "../../src/provisioner/pins/manifest.ts";
import { templateRenderer } from "../../src/provisioner/spec/render-template.ts";

/** The templates that ship. */
export const shippedTemplates = templateRenderer(join(import.meta.dirname, "../../templates"));

/** A small bootstrap entry. */
export const trixie: BootstrapEntry = {
  kind: "bootstrap",
  suite: "trixie",
  distribution: "debian-13",
  architecture: "amd64",
  keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
  sources: [
    { url: "http://archive.example/debian", suites: ["trixie", "trixie-updates"], components: ["main"] },
    { url: "http://archive.example/security", suites: ["trixie-security"], components: ["main", "contrib"] },
  ],
  packages: ["linux-image-cloud-amd64", "openssh-server"],
};

/** One of Ubuntu. */
export const noble: BootstrapEntry = {
  ...trixie,
  suite: "noble",
  distribution: "ubuntu-24.04",
  keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
  packages: ["linux-image-virtual", "openssh-server"],
};

import type { PublishedImage } from "../image/image-store.ts";

/** A published image for people: where it is, what it is, where the time went. */
export function describeImage({ path, manifest }: PublishedImage, fresh: boolean): string {
  const { image, built, base } = manifest;
  const mib = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`;
  const lines = [
    fresh
      ? `Published ${manifest.name} ${manifest.version}`
      : `Nothing changed: ${manifest.name} ${manifest.version} is there`,
    `  file    ${path}`,
    `  size    ${mib(image.bytes)} (disk ${mib(image.virtualBytes)})`,
    `  sha256  ${image.sha256}`,
    `  base    ${base.name} ${base.digest.slice(0, 12)}, built under ${built.accelerator.toUpperCase()} at ${built.at}`,
  ];
  if (!fresh) return lines.join("\n");
  const width = Math.max(...built.phases.map(({ name }) => name.length));
  return [
    ...lines,
    ...built.phases.map(({ name, ms }) => `  ${name.padEnd(width)}  ${(ms / 1000).toFixed(1).padStart(6)} s`),
  ].join("\n");
}

import type { PublishedImage } from "../image/image-store.ts";
import type { SeenHost } from "./look-at-hosts.ts";

/** What of a published image matters here. */
export type Published = Pick<PublishedImage, "name" | "version" | "latest"> & {
  readonly manifest: {
    readonly built: { readonly at: string };
    readonly image: { readonly sha256: string };
  };
};

/** The version that a host would get if it were made anew, when that is newer than what it was made from. */
export function newerImage(
  { image, sha256 }: Pick<SeenHost, "image" | "sha256">,
  published: readonly Published[],
): string | undefined {
  const [name, version = ""] = image?.split("@") ?? [];
  const versions = published.filter((each) => each.name === name);
  const wanted = versions.find(({ latest }) => latest) ?? versions.at(-1);
  if (wanted === undefined || wanted.manifest.image.sha256 === sha256) return undefined;
  const own = versions.find((each) => each.manifest.image.sha256 === sha256);
  // One that is not in the store any more: versions begin with their day.
  const isNewer =
    own === undefined ? wanted.version > version : wanted.manifest.built.at > own.manifest.built.at;
  return isNewer ? wanted.version : undefined;
}

import type { Volume } from "../libvirt/volumes.ts";
import { type HostDriver, isDeployed } from "./deployed-host.ts";
import { imagePrefix, wholeSuffix } from "./pool-image.ts";

/** An image that was brought to a hypervisor, on which no disk stands. */
export interface UnusedImage {
  readonly pool: string;
  /** Its volumes: the image, and the one beside it that says that it is whole. */
  readonly volumes: readonly string[];
  readonly bytes: number;
}

type Storage = Pick<HostDriver, "hosts" | "pools" | "volumes">;

/** What the volume beside an image is called. */
const wholeNameOf = (image: string) => `${image}${wholeSuffix}`;
/** A deploy may be about to use what it has just brought, or still be bringing it. */
const freshMs = 3_600_000;

/** Images in the pools of a hypervisor that nobody stands on and nobody wrote to for a while. */
export async function findUnusedImages(driver: Storage, wallClock: number): Promise<readonly UnusedImage[]> {
  const domains = await driver.hosts.all();
  // A pool that is off would hide who stands on what.
  for (const pool of new Set(domains.filter(isDeployed).map(({ mark }) => mark.host.pool)))
    await driver.pools.open(pool);
  const pools = (await driver.volumes.pools()).filter(({ active }) => active);
  const lists = [];
  for (const { name } of pools) {
    await driver.volumes.refresh(name);
    lists.push({ pool: name, volumes: await driver.volumes.list(name) });
  }
  const used = new Set([
    ...lists.flatMap(({ volumes }) => volumes.flatMap(({ backing }) => backing ?? [])),
    ...domains.flatMap(({ facts }) => facts.disks.map(({ path }) => path)),
  ]);
  const isOld = ({ modified }: Volume) => modified === undefined || wallClock - modified > freshMs;
  return lists.flatMap(({ pool, volumes }) =>
    groups(volumes)
      .filter((group) => group.every((volume) => isOld(volume) && !used.has(volume.path)))
      .map((group) => ({
        pool,
        volumes: group.map(({ name }) => name),
        bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
      })),
  );
}

/** The mark that says that an image is whole goes first: what is cut short then is not taken for one. */
export async function removeImage(driver: Pick<HostDriver, "volumes">, image: UnusedImage): Promise<void> {
  for (const name of image.volumes.toReversed()) await driver.volumes.remove(image.pool, name);
}

/** Each image with what lies beside it; what lies beside none is by itself. */
function groups(volumes: readonly Volume[]): readonly (readonly Volume[])[] {
  const ours = volumes.filter(({ name }) => name.startsWith(imagePrefix));
  const images = ours.filter(({ name }) => name.endsWith(".qcow2"));
  const marks = ours.filter(({ name }) => name.endsWith(wholeNameOf(".qcow2")));
  const marksOf = (image: Volume) => marks.filter(({ name }) => name === wholeNameOf(image.name));
  const alone = marks.filter(({ name }) => !images.some((image) => wholeNameOf(image.name) === name));
  return [...images.map((image) => [image, ...marksOf(image)]), ...alone.map((mark) => [mark])];
}

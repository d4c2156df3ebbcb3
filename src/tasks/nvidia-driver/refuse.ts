import { type DriverPin, type PinnedDriver, Refusal } from "../../provisioner/core/task.ts";
import type { Found } from "./look.ts";

/** The pin for the machine; where there is none yet, the first there is. */
export function pinFor(
  { name, pins }: PinnedDriver,
  distribution: string | undefined,
  flavour: DriverPin["flavour"] | undefined,
): DriverPin {
  const known = Object.keys(pins);
  const pin = pins[distribution ?? known[0] ?? ""];
  if (!pin)
    throw new Refusal(
      `versions.yaml must pin ${name} for ${distribution}, pins it for ${known.join(" and ")}; add it under drivers.${name}`,
    );
  if (flavour !== undefined && pin.flavour !== flavour)
    throw new Refusal(
      `its kernel module must be the ${flavour} one, versions.yaml pins the ${pin.flavour} one; leave flavour out, or pin the other under drivers.${name}`,
    );
  return pin;
}

/** A kernel that the driver was not seen to build for: by one boot into it the device would be without its driver. */
export function refuseKernels(pin: DriverPin, { kernels }: Pick<Found, "kernels">): void {
  const others = kernels.filter((kernel) => kernel !== pin.kernel);
  if (others.length === 0) return;
  const purge = others.map((kernel) => `linux-image-${kernel}`).join(" ");
  const way = kernels.includes(pin.kernel)
    ? `boot ${pin.kernel}, then \`apt-get purge ${purge}\``
    : "start from the base debian-13-nvidia, which has it, or install and boot it, and purge the others";
  throw new Refusal(
    `its kernel must be ${pin.kernel}, which versions.yaml pins driver ${pin.version} with, there is ${others.join(" and ")}; ${way}, or pin both anew under drivers.nvidia`,
  );
}

/** A driver that was loaded before: its module can only be changed when nothing uses it. */
export function refuseLoaded(pin: DriverPin, { answer, running }: Pick<Found, "answer" | "running">): void {
  if (running !== pin.kernel || answer === undefined || answer === pin.version) return;
  if (/^[0-9.]+$/.test(answer))
    throw new Refusal(`its loaded driver must be ${pin.version}, is ${answer}; reboot`);
  throw new Refusal(
    `its device must answer nvidia-smi, says: ${answer}; reboot, then look at \`dmesg\` there`,
  );
}

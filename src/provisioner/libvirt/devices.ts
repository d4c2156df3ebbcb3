import { ProvisionError } from "../core/errors.ts";
import type { Connection } from "./connection.ts";
import { unless } from "./domains.ts";
import { virtCodes } from "./virt-error.ts";

/** PCI devices of a hypervisor. */
export interface Devices {
  /** Throws DEVICE_UNFIT unless the device at this address (0000:01:00.0) can be handed to a guest. */
  checkPassable(address: string): Promise<void>;
}

export function devicesOf(connection: Connection): Devices {
  const { uri } = connection;
  return {
    checkPassable: (address) =>
      connection.use(async (on) => {
        // libvirt's own name for it: pci_0000_01_00_0.
        const name = `pci_${address.replaceAll(/[:.]/g, "_")}`;
        const device = await unless(virtCodes.noNodeDevice, () =>
          on.call("virNodeDeviceLookupByName", on.connection, name),
        );
        if (device === undefined)
          throw new ProvisionError("DEVICE_UNFIT", { device: address, uri, lacks: "device" });
        const xml = await on.call("virNodeDeviceGetXMLDesc", on.take("virNodeDeviceFree", device), 0);
        // Without an IOMMU no device is in a group.
        if (!/<iommuGroup /.test(xml))
          throw new ProvisionError("DEVICE_UNFIT", { device: address, uri, lacks: "iommu" });
      }),
  };
}

/** Pattern of a name of DNS, in lower case. */
export const dnsNamePattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$";

/** Pattern of one card's hardware address: that of a group is odd in its first byte, and libvirt refuses it. */
export const macPattern = "^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$";

/** Pattern of a PCI address with its domain. */
export const gpuPattern = "^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$";

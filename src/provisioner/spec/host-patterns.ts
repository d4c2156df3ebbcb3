/** Pattern of a PCI address with its domain. */
export const gpuPattern = "^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]$";

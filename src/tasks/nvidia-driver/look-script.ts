/**
 * What of the driver is on a machine, a line each: `provision-nvidia-look MODULE…`. Looks only: nothing is loaded, and
 * nvidia-smi is asked only where there is a device and its driver answers. `root` stands for the machine's own in tests.
 */
export function lookScript(root = ""): string {
  return `
echo "running $(uname -r)"

# A directory without a kernel's own modules is what headers or a removed kernel left.
for directory in ${root}/lib/modules/*/; do
  [ -d "$directory/kernel" ] || continue
  kernel=\${directory%/}
  kernel=\${kernel##*/}
  echo "kernel $kernel"
  for module in "$@"; do
    version=$(modinfo ${root && `-b ${root} `}-k "$kernel" -F version "$module" 2>/dev/null) || continue
    magic=$(modinfo ${root && `-b ${root} `}-k "$kernel" -F vermagic "$module" 2>/dev/null)
    echo "module $kernel $module $version \${magic%% *}"
  done
done

if command -v dkms >/dev/null; then
  dkms status 2>&1 | while read -r line; do echo "dkms $line"; done
fi
for key in ${root}/var/lib/dkms/mok.key ${root}/var/lib/dkms/mok.pub; do
  [ ! -e "$key" ] || echo "key $key"
done

for device in ${root}/sys/bus/pci/devices/*/; do
  read -r vendor 2>/dev/null < "$device/vendor" || continue
  read -r class < "$device/class"
  case $vendor$class in 0x10de0x03*) ;; *) continue ;; esac
  echo "device $(basename "$device")"
  [ -e ${root}/proc/driver/nvidia/version ] || continue
  echo "answers $(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1 | head -n 1)"
done
exit 0
`;
}

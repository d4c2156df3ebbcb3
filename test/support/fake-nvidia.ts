import type { FakeHost } from "./fake-host.ts";

/** `provision-nvidia-look MODULE…`, of a machine without a GPU. What was built is noted in /lib/modules. */
export function lookAtDriver(_argv: readonly string[], { files }: FakeHost) {
  const kernels = files.paths().flatMap((path) => /^\/lib\/modules\/([^/]+)\/built$/.exec(path)?.[1] ?? []);
  const lines = kernels.flatMap((kernel) => {
    const [module = "", version = ""] = (files.read(`/lib/modules/${kernel}/built`) ?? "").trim().split(" ");
    return [
      `kernel ${kernel}`,
      `module ${kernel} ${module} ${version} ${kernel}`,
      `dkms ${module}/${version}, ${kernel}, x86_64: installed`,
    ];
  });
  const keys = files.stat(KEY) ? [`key ${KEY}`] : [];
  return { stdout: ["running 6.1.0-1-amd64", ...lines, ...keys, ""].join("\n") };
}

/** `provision-nvidia LOCK-SECONDS LISTS-MINUTES MODULE VERSION KERNEL removed|kept [ARGUMENT…]`. */
export function installDriver(argv: readonly string[], host: FakeHost): void {
  const [, , , module = "", version = "", kernel = "", key = "", ...rest] = argv;
  for (const item of rest.filter((each) => !each.startsWith("-"))) {
    const [name = "", wanted = ""] = item.split("=");
    host.packages.set(name, { version: wanted, status: "installed" });
  }
  host.units.install("nvidia-persistenced.service", { enabled: true });
  host.files.directory(`/lib/modules/${kernel}`);
  host.files.write(`/lib/modules/${kernel}/built`, `${module} ${version}\n`);
  host.files.directory("/var/lib/dkms");
  if (key === "kept") host.files.write(KEY, "key\n");
}

const KEY = "/var/lib/dkms/mok.key";

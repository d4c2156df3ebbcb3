import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

/** Commands that make ~/hello.tar, an image of one program, so that no registry is needed. */
export const imageOfBusybox = `
mkdir -p ~/root/bin && cd && cp /usr/bin/busybox root/bin/
tar --create --file layer.tar --directory root .
cat >config.json <<END
{"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sh"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum layer.tar | cut -d " " -f 1)"]}}
END
cat >manifest.json <<END
[{"Config": "config.json", "RepoTags": ["docker.io/local/hello:latest"], "Layers": ["layer.tar"]}]
END
tar --create --file hello.tar manifest.json config.json layer.tar
`;

/** The same image, of the busybox in a root, made in a folder. */
export async function packedBusybox(root: string, folder: string): Promise<Buffer> {
  const script = imageOfBusybox.replace("/usr/bin/busybox", join(root, "usr/bin/busybox"));
  await execa("sh", ["-eu", "-c", script], { env: { HOME: folder } });
  return readFile(join(folder, "hello.tar"));
}

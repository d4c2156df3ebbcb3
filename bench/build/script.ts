import type { Uses } from "./uses.ts";

/** Says that a script went through to its end. */
export const madeWords = "made";

/**
 * What a good admin would write by hand to make the same of a fresh machine: one script with all its files in it, one
 * transaction of apt, and everything that has to be restarted, restarted once. It looks at nothing and proves nothing.
 */
export function makeScript(uses: Uses, withPackages: boolean): string {
  return [
    "set -e",
    "export DEBIAN_FRONTEND=noninteractive",
    ...uses.files.flatMap(fileLines),
    ...(withPackages
      ? [
          "apt-get -qq update",
          `apt-get -qq -y --no-install-recommends install ${uses.packages.join(" ")} >/dev/null`,
        ]
      : []),
    `systemctl --quiet mask --now ${uses.masked.join(" ")}`,
    `ln -sfn /usr/share/zoneinfo/${uses.timezone} /etc/localtime`,
    `echo ${uses.timezone} >/etc/timezone`,
    `echo LANG=${uses.locale} >/etc/default/locale`,
    ...uses.sysctls.flatMap(({ key, value }) => [
      `echo '${key} = ${value}' >/etc/sysctl.d/90-provision-${key}.conf`,
      `sysctl -q -w ${key}=${value}`,
    ]),
    ...uses.blacklisted.map((name) => `echo 'blacklist ${name}' >/etc/modprobe.d/provision-${name}.conf`),
    ...uses.tmpfiles.flatMap(({ name, content }) => [
      ...fileLines({ path: `/etc/tmpfiles.d/${name}.conf`, content, mode: "0644" }),
      `systemd-tmpfiles --create /etc/tmpfiles.d/${name}.conf`,
    ]),
    ...uses.links.map(({ path, target }) => `ln -sfn ${target} ${path}`),
    `rm -rf ${uses.absent.join(" ")}`,
    `systemctl --quiet enable --now ${uses.running.join(" ")}`,
    `systemctl restart ${uses.restarted.join(" ")}`,
    `systemctl reload ${uses.reloaded.join(" ")}`,
    `echo ${madeWords}`,
    "",
  ].join("\n");
}

function fileLines({ path, content, mode }: Uses["files"][number]): readonly string[] {
  return [
    `mkdir -p ${path.slice(0, path.lastIndexOf("/"))}`,
    `cat >${path} <<'END'`,
    `${content}END`,
    ...(mode === "0644" ? [] : [`chmod ${mode} ${path}`]),
  ];
}

/** The key, armoured. */
export function keyFile(name: string): string {
  return `/etc/apt/keyrings/${name}.asc`;
}

/** Where the repository is. */
export function sourcesFile(name: string): string {
  return `/etc/apt/sources.list.d/${name}.sources`;
}

/** Which versions of its packages may be installed. */
export function preferencesFile(name: string): string {
  return `/etc/apt/preferences.d/${name}.pref`;
}

/** Where the stamps of all tasks are. */
export const STAMPS = "/var/lib/provision/stamps";

/** The digest of what the lists were last read with. */
export function stampFile(name: string): string {
  return `${STAMPS}/apt-repository-${name}`;
}

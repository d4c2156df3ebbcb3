import type { UnitState } from "../../src/provisioner/core/task.ts";
import type { FakeFiles } from "./fake-files.ts";

interface FakeUnit {
  active: string;
  enabled: boolean;
  /** A packaged unit file, or none but what stands under /etc. */
  readonly isPackaged: boolean;
}

const ETC = "/etc/systemd/system";

/** As much of systemd as tasks can notice. */
export class FakeUnits {
  readonly #files: FakeFiles;
  readonly #units = new Map<string, FakeUnit>();
  /** Every text under /etc as systemd read it last. */
  #known = new Map<string, string>();

  constructor(files: FakeFiles) {
    this.#files = files;
  }

  /** A unit that a package brought. */
  install(name: string, state: { active?: string; enabled?: boolean } = {}): void {
    this.#units.set(name, { active: "inactive", enabled: false, isPackaged: true, ...state });
  }

  /** The package that brought it is gone. */
  remove(name: string): void {
    this.#units.delete(name);
  }

  state(name: string): UnitState {
    const unit = this.#units.get(name);
    const active = unit?.active ?? "inactive";
    if (this.#isMasked(name)) return { load: "masked", active, enabled: "masked", needsReload: false };
    if (!this.#exists(name)) return { load: "not-found", active, enabled: "", needsReload: false };
    const isOld = [...this.#texts()].some(
      ([path, text]) => this.#isOf(name, path) && this.#known.get(path) !== text,
    );
    const enabled = unit?.enabled ? "enabled" : "disabled";
    return { load: "loaded", active, enabled, needsReload: active === "active" && isOld };
  }

  /** Gives the exit code of `systemctl <argv…>`. */
  systemctl(verb: string, name: string): number {
    if (verb === "daemon-reload") {
      this.#known = this.#texts();
      return 0;
    }
    if (verb === "mask" || verb === "unmask") return this.#mask(verb, name);
    if (verb === "reset-failed" || verb === "status") return 0;
    // A masked unit can still be stopped.
    if (verb !== "stop" && (!this.#exists(name) || this.#isMasked(name))) return 5;
    const unit = this.#units.get(name) ?? { active: "inactive", enabled: false, isPackaged: false };
    this.#units.set(name, unit);
    if (verb === "enable") unit.enabled = true;
    else if (verb === "disable") unit.enabled = false;
    else if (verb === "stop") unit.active = "inactive";
    else if (verb === "reload") return unit.active === "active" ? 0 : 1;
    else unit.active = this.#isOneshot(name) ? "inactive" : "active";
    return 0;
  }

  #mask(verb: "mask" | "unmask", name: string): number {
    const path = `${ETC}/${name}`;
    if (verb === "unmask" && this.#isMasked(name)) this.#files.remove(path);
    if (verb === "mask") {
      if (this.#files.stat(path)?.type === "file") return 1;
      this.#files.symlink(path, "/dev/null");
    }
    return 0;
  }

  #isMasked(name: string): boolean {
    return this.#files.stat(`${ETC}/${name}`)?.target === "/dev/null";
  }

  #exists(name: string): boolean {
    return this.#units.get(name)?.isPackaged === true || this.#files.read(`${ETC}/${name}`) !== undefined;
  }

  #isOneshot(name: string): boolean {
    return this.#files.read(`${ETC}/${name}`)?.includes("Type=oneshot") === true;
  }

  #isOf(name: string, path: string): boolean {
    return path === `${ETC}/${name}` || path.startsWith(`${ETC}/${name}.d/`);
  }

  #texts(): Map<string, string> {
    const paths = this.#files.paths().filter((path) => path.startsWith(`${ETC}/`));
    return new Map(paths.map((path) => [path, this.#files.read(path) ?? ""]));
  }
}

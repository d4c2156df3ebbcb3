import { type Command, type Output, Refusal } from "../../provisioner/core/task.ts";
import { lookScript } from "./look-script.ts";

/** What a machine has of a driver. */
export interface Found {
  /** The kernel it runs, which need not be one of its own: a container's is its host's. */
  readonly running: string | undefined;
  /** Kernels that are installed. */
  readonly kernels: readonly string[];
  /** Modules that modinfo finds, with the release that they say they are for. */
  readonly modules: readonly {
    readonly kernel: string;
    readonly module: string;
    readonly version: string;
    readonly builtFor: string;
  }[];
  /** `dkms status`: "nvidia-current/550.1, 6.12.1-amd64" to "installed", "built" or "added". */
  readonly dkms: ReadonlyMap<string, string>;
  /** Files of the key that dkms made to sign modules. */
  readonly keys: readonly string[];
  /** Whether there is a GPU of NVIDIA. */
  readonly hasDevice: boolean;
  /** What nvidia-smi says of the first: the version of the driver, or why it says none. */
  readonly answer: string | undefined;
}

const LOOK = lookScript();

/** Asks for all that can be seen of the driver, whatever its module is called. */
export function lookAt(modules: readonly string[]): Command {
  return { argv: ["sh", "-c", LOOK, "provision-nvidia-look", ...modules] };
}

/** Reads the answer. Where no program answers at all, there is no machine yet, and nothing on it. */
export function readLook({ code, stdout, stderr }: Output): Found {
  if (code !== 0 && code !== 127)
    throw new Refusal(`its machine must say what it has, does not: ${stderr.trim()}; look at it there`);
  const lines = stdout.split("\n").map((line) => cut(line, " "));
  const all = (word: string) => lines.flatMap(([first, rest]) => (first === word ? [rest] : []));
  return {
    running: all("running")[0],
    kernels: all("kernel"),
    modules: all("module").map((line) => {
      const [kernel = "", module = "", version = "", builtFor = ""] = line.split(" ");
      return { kernel, module, version, builtFor };
    }),
    dkms: new Map(all("dkms").flatMap(readDkms)),
    keys: all("key"),
    hasDevice: all("device").length > 0,
    answer: all("answers")[0],
  };
}

/** `name/version, kernel, architecture: state (remarks)`; of one that is only added, `name/version: added`. */
function readDkms(line: string): readonly (readonly [string, string])[] {
  const [, name, kernel, state] = /^([^\s,:]+)(?:, ([^,]+), [^:]+)?: ([a-z]+)/.exec(line) ?? [];
  if (name === undefined || state === undefined) return [];
  return [[kernel === undefined ? name : `${name}, ${kernel}`, state]];
}

function cut(line: string, mark: string): readonly [string, string] {
  const at = line.indexOf(mark);
  return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}

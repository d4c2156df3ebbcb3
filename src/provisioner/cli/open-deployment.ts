import { join, resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Redactor } from "../core/redactor.ts";
import type { Run } from "../core/run.ts";
import { authorizedKeys } from "../deploy/authorized-keys.ts";
import type { Deployment } from "../deploy/deployment.ts";
import { hostLine } from "../deploy/host-line.ts";
import { identityRecipe } from "../deploy/identity-recipe.ts";
import { rememberHost } from "../deploy/known-hosts-file.ts";
import { reachHost } from "../deploy/reach-host.ts";
import { findImage } from "../deploy/source-image.ts";
import { agentKeyLines } from "../host/ssh-agent.ts";
import { baseSettings } from "../image/base-settings.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import type { LoadedHost } from "../spec/host-spec.ts";
import { specSources } from "../spec/spec-sources.ts";
import type { DirectFlags } from "./command.ts";
import { lazyManifest, registry } from "./compose.ts";
import { type GuestFlags, hypervisorUri, openHypervisor } from "./open-hypervisor.ts";
import { hostKeysFile } from "./host-keys-file.ts";
import { openPins } from "./open-pins.ts";
import { openSecrets } from "./open-secrets.ts";
import { findProject, findTemplates } from "./project.ts";
import { type Selection, selectUses } from "./select-uses.ts";
import type { Shell } from "./shell.ts";

/** What flags say of a deployment. */
export interface DeployFlags extends Selection, DirectFlags, GuestFlags {
  readonly identity?: string;
  readonly replace?: boolean;
  readonly keepOnError?: boolean;
  readonly yes?: boolean;
}

/** Everything a deployment of a host needs, with its hypervisor open: dispose it. */
export async function openDeployment(
  host: LoadedHost,
  options: {
    readonly shell: Shell;
    readonly flags: DeployFlags;
    readonly redactor: Redactor;
    readonly run: Run;
    /** Opens the hypervisor; the benchmark hands in one that is none. */
    readonly open?: typeof openHypervisor;
  },
): Promise<Deployment & AsyncDisposable> {
  const { shell, flags, redactor, run, open = openHypervisor } = options;
  const { spec, sourceDirs } = host;
  const { env, home, user } = shell;
  const { cacheDir } = baseSettings(shell);
  const hypervisor = spec.hypervisor ?? hypervisorUri(shell, flags);
  const identity = flags.identity === undefined ? undefined : resolve(shell.cwd, flags.identity);
  const [line, keys] = await Promise.all([
    hostLine({ ...spec, hypervisor }, { home, user, env }, identity),
    authorizedKeys(spec.users, { home, agentKeys: () => agentKeyLines(env["SSH_AUTH_SOCK"]) }),
  ]);
  const manifest = lazyManifest(shell);
  const others = { ...openPins(shell, manifest, flags), ...openSecrets(shell, sourceDirs, redactor) };
  const recipe: Deployment["recipe"] = (gone) => {
    const where = { file: host.yaml.file, line: 1, column: 1 };
    const tools = { task: taskNamed, authorizedKeys: keys, where, gone, ownShells: shellsOf(host.recipe) };
    return selectUses([...identityRecipe(spec, tools), ...host.recipe], flags);
  };
  // What --only and --skip name is checked before anything is opened.
  recipe([]);
  const driver = await openReady(hypervisor, { shell, flags, cacheDir, run, opens: open });
  return {
    spec,
    driver,
    line,
    authorizedKeys: keys,
    recipe,
    sources: specSources(host, findTemplates(shell), others),
    image: () => findImage(spec.image, { store: findProject(shell).imagesDir, cacheDir }),
    replace: flags.replace ?? false,
    keepOnError: flags.keepOnError ?? false,
    owner: `${user}@${shell.machine}, process ${shell.pid}`,
    workDir: join(cacheDir, "work"),
    reach: reachHost,
    remember: (name, hostKey) => rememberHost(hostKeysFile(shell), name, hostKey, run),
    run,
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

/** Users of whom a use of `login-shell` says what theirs is. */
function shellsOf(recipe: Recipe): readonly string[] {
  return recipe.flatMap(({ task, params }) =>
    task.name === "login-shell" ? [(params as { readonly user: string }).user] : [],
  );
}

/** Opens a hypervisor; where that is this machine and it is not ready, it is made so first. */
async function openReady(
  uri: string,
  given: {
    readonly shell: Shell;
    readonly flags: DeployFlags;
    readonly cacheDir: string;
    readonly run: Run;
    readonly opens: typeof openHypervisor;
  },
): Promise<LibvirtDriver> {
  const { shell, flags, cacheDir, run, opens } = given;
  const open = () => opens(shell, { ...flags, connect: uri });
  try {
    return await open();
  } catch (error) {
    const isUnready =
      error instanceof ProvisionError && ["LIBVIRT_DOWN", "LIBVIRT_MISSING"].includes(error.code);
    if (!isUnready || uri !== "qemu:///system") throw error;
    const { makeReady } = await import("./make-ready.ts");
    await makeReady(shell, { yes: flags.yes ?? false, cacheDir }, run);
    return open();
  }
}

function taskNamed(name: string): (typeof registry)[number] {
  const found = registry.find((task) => task.name === name);
  if (found === undefined) throw new Error(`There is no task "${name}"`);
  return found;
}

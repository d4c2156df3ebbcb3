import type { Run } from "../core/run.ts";
import { type Check, checks, type Probe } from "./checks.ts";
import { installPackages } from "./install-packages.ts";
import { type Patient, thisMachine } from "./machine.ts";
import { rootPrefix } from "./root-prefix.ts";
import { startService } from "./services.ts";

/** What became of one check. */
export interface Finding extends Probe {
  readonly name: string;
  /** What to do; absent when all is well. */
  readonly mend?: string;
  /** It was wrong and has been put right. */
  readonly fixed: boolean;
}

/** How the doctor may go about it. */
export interface DoctorOptions {
  readonly fix: boolean;
  /** Do not ask before installing. */
  readonly yes: boolean;
  readonly cacheDir: string;
  /** Asks the user; without it and without `yes` nothing is changed. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

/** What a treatment does to the machine. */
export interface Treatment {
  install(packages: readonly string[], run: Run): Promise<void>;
  start(service: NonNullable<Check["service"]>, run: Run): Promise<void>;
}

/** Looks at everything provision needs of this machine; with `fix` it installs and starts what is missing. */
export async function doctor(
  run: Run,
  options: DoctorOptions,
  body: { readonly patient: Patient; readonly treatment: Treatment } = real(options, run),
): Promise<readonly Finding[]> {
  const { patient, treatment } = body;
  const before = await run.within("Look at this machine", () => probeAll(patient));
  const sick = before.filter(({ probe, check }) => probe.state === "missing" && isTreatable(check));
  if (!options.fix || sick.length === 0) return before.map((each) => finding(each, false));

  const packages = [...new Set(sick.flatMap(({ check }) => check.packages ?? []))].toSorted();
  if (!options.yes && !(await options.confirm?.(question(packages, sick))))
    return before.map((each) => finding(each, false));
  if (packages.length > 0)
    await run.within(`Install ${packages.length} packages`, (inner) => treatment.install(packages, inner));
  // A daemon that is there only now is looked at again: installing may have started it.
  for (const check of checks.filter(({ service }) => service !== undefined)) {
    const { service } = check;
    if (service === undefined || (await check.probe(patient)).state !== "missing") continue;
    await run.within(`Start ${check.name}`, (inner) => treatment.start(service, inner));
  }
  const after = await run.within("Look again", () => probeAll(patient));
  return after.map((each, index) => finding(each, before[index]?.probe.state === "missing"));
}

interface Probed {
  readonly check: Check;
  readonly probe: Probe;
}

async function probeAll(patient: Patient): Promise<readonly Probed[]> {
  return Promise.all(checks.map(async (check) => ({ check, probe: await check.probe(patient) })));
}

function isTreatable({ packages, service }: Check): boolean {
  return packages !== undefined || service !== undefined;
}

function finding({ check, probe }: Probed, wasMissing: boolean): Finding {
  const fixed = wasMissing && probe.state === "ok";
  return { name: check.name, ...probe, fixed, ...(probe.state !== "ok" && { mend: check.mend }) };
}

function question(packages: readonly string[], sick: readonly Probed[]): string {
  const services = sick.filter(({ check }) => check.service).map(({ check }) => check.name);
  const parts = [
    packages.length > 0 && `install ${packages.join(" ")}`,
    services.length > 0 && `put right: ${services.join(", ")}`,
  ];
  return parts.filter((part) => part !== false).join("; ");
}

function real(
  options: DoctorOptions,
  run: Run,
): { readonly patient: Patient; readonly treatment: Treatment } {
  const patient = thisMachine(options.cacheDir, run);
  return {
    patient,
    treatment: {
      install: async (packages, inner) =>
        installPackages(packages, { prefix: await rootPrefix(patient, inner), run: inner }),
      start: async (service, inner) =>
        startService(service, { patient, prefix: await rootPrefix(patient, inner), run: inner }),
    },
  };
}

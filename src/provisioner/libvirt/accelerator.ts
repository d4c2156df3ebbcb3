import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Accelerator } from "./driver.ts";

/** Which accelerator, and why: for the user. */
export interface Choice {
  readonly accelerator: Accelerator;
  readonly why: string;
}

/** How a probe guest fared. `unknown`: it says nothing about KVM, and is not remembered. */
export type Probe =
  | { readonly ran: true }
  | { readonly ran: false; readonly why: string; readonly sure: boolean };

/** Everything the choice depends on. */
export interface AcceleratorQuestion {
  /** PROVISION_ACCEL. */
  readonly wish: string | undefined;
  /** Whether the hypervisor lists KVM at all. It may list it and still run no guest. */
  readonly listed: boolean;
  /** Where the answer is kept, and what it holds for; left out: it is asked each time. */
  readonly memory: Memory | undefined;
  /** Starts a guest of a few bytes under KVM; left out where none can be started. */
  readonly probe: (() => Promise<Probe>) | undefined;
}

/** What libvirt's state of a guest that its accelerator gave up reads as: VIR_DOMAIN_PAUSED_UNKNOWN. */
export const acceleratorFailure = "was stopped by QEMU: an internal error, often of the accelerator";

/** Whether a guest died of what runs it, and not of what it runs. */
export function isAcceleratorFailure(error: unknown): boolean {
  return (
    error instanceof ProvisionError &&
    error.code === "GUEST_DIED" &&
    (error as ProvisionError<"GUEST_DIED">).facts.reason === acceleratorFailure
  );
}

/** The choice after KVM stopped a guest: a probe of a few bytes may run where firmware and a kernel do not. */
export async function giveUpKvm(memory: Memory | undefined): Promise<Choice> {
  const choice: Choice = { accelerator: "tcg", why: "a guest that had begun under KVM was stopped by it" };
  if (memory !== undefined) await remember(memory, choice);
  return choice;
}

/** KVM where a guest really runs under it, else TCG. */
export async function chooseAccelerator(question: AcceleratorQuestion): Promise<Choice> {
  const { wish, listed, memory } = question;
  if (wish === "kvm" || wish === "tcg") return { accelerator: wish, why: `PROVISION_ACCEL=${wish}` };
  if (wish !== undefined && wish !== "" && wish !== "auto") {
    throw new ProvisionError("USAGE", {
      what: `Cannot use PROVISION_ACCEL: must be kvm, tcg or auto, is "${wish}"`,
      mend: "Set PROVISION_ACCEL to kvm or tcg, or unset it: then provision finds out",
    });
  }
  if (!listed) return { accelerator: "tcg", why: "the hypervisor offers no KVM" };
  if (question.probe === undefined) {
    return { accelerator: "kvm", why: "the hypervisor offers KVM; nothing was probed on another machine" };
  }
  const known = memory && (await recall(memory));
  if (known !== undefined) return known;
  const probe = await question.probe();
  const choice: Choice = probe.ran
    ? { accelerator: "kvm", why: "a probe guest ran under KVM" }
    : { accelerator: "tcg", why: `a probe guest did not run under KVM: ${probe.why}` };
  if (memory !== undefined && (probe.ran || probe.sure)) await remember(memory, choice);
  return choice;
}

/** Where a choice is kept, and what it holds for. */
export interface Memory {
  readonly path: string;
  readonly key: string;
}

async function recall({ path, key }: Memory): Promise<Choice | undefined> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    const { key: of, accelerator, why } = value;
    if (of !== key || typeof why !== "string") return undefined;
    return accelerator === "kvm" || accelerator === "tcg" ? { accelerator, why } : undefined;
  } catch {
    // Never written, or by another hand: asking again costs two seconds.
    return undefined;
  }
}

async function remember({ path, key }: Memory, choice: Choice): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify({ key, ...choice }, undefined, 2)}\n`);
  await rename(`${path}.${process.pid}`, path);
}

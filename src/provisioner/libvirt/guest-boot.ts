import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { type Patience, until } from "../core/until.ts";
import type { Accelerator, Address, Guest } from "./driver.ts";

/** How long a guest may take. A quiet one is given up early; one that goes on printing is not. */
export interface BootPatience {
  /** Without a stage passed and without a byte on the console. */
  readonly quietMs: number;
  /** In all for one stage: a guest that reboots for ever prints for ever. */
  readonly longestMs: number;
  readonly sleep?: Patience["sleep"];
}

/** What a boot takes; under emulation ten times as long. */
export const bootPatience: Readonly<Record<Accelerator, BootPatience>> = {
  kvm: { quietMs: 60_000, longestMs: 300_000 },
  tcg: { quietMs: 300_000, longestMs: 1_200_000 },
};

/** What of a guest is watched while it boots. */
export type BootingGuest = Pick<
  Guest,
  "name" | "state" | "trouble" | "addresses" | "consoleSize" | "consoleTail"
>;

/** Waits for a guest to run and to have an address on our MAC: as far as the hypervisor can see. SSH comes after. */
export async function waitForBoot(
  guest: BootingGuest,
  run: Run,
  patience: BootPatience,
): Promise<readonly Address[]> {
  await passStage(guest, "running", async () => ((await guest.state()) === "running" ? true : undefined), {
    run,
    patience,
  });
  return passStage(guest, "address", async () => mostTrusted(await guest.addresses()), { run, patience });
}

/**
 * Asks until a stage of a guest's boot is passed. Bytes on its console extend the time it has. Rejects with
 * GUEST_DIED when it stops, GUEST_NEVER_BOOTED with the stage and the console's end when it stands still.
 */
export async function passStage<T>(
  guest: BootingGuest,
  stage: string,
  ask: () => Promise<T | undefined>,
  { run, patience }: { readonly run: Run; readonly patience: BootPatience },
): Promise<T> {
  let size = await guest.consoleSize();
  const started = run.now();
  let lastSign = started;
  run.progress(stage);
  const passed = await until(
    async () => {
      const answer = await ask();
      if (answer !== undefined) return { answer };
      const trouble = await guest.trouble();
      if (trouble !== undefined) {
        throw new ProvisionError("GUEST_DIED", {
          guest: guest.name,
          reason: trouble,
          console: await guest.consoleTail(),
        });
      }
      const grown = await guest.consoleSize();
      if (grown !== size) {
        size = grown;
        lastSign = run.now();
        run.progress(`${stage}, console ${size} bytes`);
      }
      return run.now() - lastSign < patience.quietMs ? undefined : { answer: undefined };
    },
    {
      deadlineMs: patience.longestMs,
      pauseMs: 250,
      longestMs: 2000,
      signal: run.signal,
      now: run.now,
      ...(patience.sleep && { sleep: patience.sleep }),
    },
  );
  if (passed?.answer !== undefined) return passed.answer;
  const seconds = Math.round((run.now() - started) / 1000);
  throw new ProvisionError("GUEST_NEVER_BOOTED", {
    guest: guest.name,
    stage,
    seconds,
    console: await guest.consoleTail(40),
  });
}

/** The agent knows best, then what was seen on the wire; a lease can be older than the guest. */
function mostTrusted(addresses: readonly Address[]): readonly Address[] | undefined {
  const order: readonly Address["source"][] = ["agent", "arp", "lease"];
  if (addresses.length === 0) return undefined;
  return addresses.toSorted((one, other) => order.indexOf(one.source) - order.indexOf(other.source));
}

import { ProvisionError } from "../core/errors.ts";
import { type Argument, type Binding, type FunctionName, type Pointer, type Result } from "./binding.ts";
import { listenForLooseErrors, loadBinding } from "./binding.ts";
import { type EventLoop, makeEventLoop } from "./event-loop.ts";
import { callFailed, openFailed, type VirtError, virtErrorFrom } from "./virt-error.ts";

/** How long calls may take. */
export interface ConnectionOptions {
  /** A call without a bound of its own; 60 000 when left out. */
  readonly callMs?: number;
  /** Opening, ssh and its password agents included; 30 000 when left out. */
  readonly openMs?: number;
}

/** What libvirt gives where it does not fail. */
export type Found<Name extends FunctionName> = NonNullable<Result<Name>>;

/** Calls on one connection, nobody else's in between. Handles taken are given back when it ends. */
export interface Session {
  readonly lib: Binding;
  readonly connection: Pointer;
  /** Awaits a call; throws LIBVIRT_FAILED with libvirt's own code, or LIBVIRT_STALLED past the deadline. */
  call<Name extends FunctionName>(name: Name, ...args: readonly Argument[]): Promise<Found<Name>>;
  callWithin<Name extends FunctionName>(
    deadlineMs: number,
    name: Name,
    ...args: readonly Argument[]
  ): Promise<Found<Name>>;
  /** Frees `handle` by `release` when the session ends. */
  take(release: FunctionName, handle: Pointer): Pointer;
}

/**
 * A libvirt connection. One call at a time, each with a deadline: a call that misses it poisons the handle, which
 * is never used again; the next session opens a new one. So does a handle whose daemon went away.
 */
export interface Connection extends AsyncDisposable {
  readonly uri: string;
  /** Runs `work` alone on the connection. Not to be nested. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Another connection to the same place, for what takes long. */
  another(): Promise<Connection>;
}

let loop: EventLoop | undefined;
/** `virConnectOpen` tells its error to nobody but the one listener of the process: one at a time, as long as it is quick. */
let opening: Promise<unknown> = Promise.resolve();
/** One that takes longer, since its machine does not answer, lets the others past. */
const aloneMs = 2000;
/** Those that are being opened. Each takes the last error it hears before it ends for its own. */
const listening = new Set<(error: VirtError) => void>();

/** Opens a connection; LIBVIRT_DOWN, LIBVIRT_DENIED and LIBVIRT_MISSING say what to do. */
export async function openConnection(uri: string, options: ConnectionOptions = {}): Promise<Connection> {
  const lib = await loadBinding();
  loop ??= makeEventLoop(lib);
  loop.enter();
  try {
    return new OneConnection(lib, uri, options, await openHandle(lib, uri, options));
  } catch (error) {
    await loop.leave();
    throw error;
  }
}

class OneConnection implements Connection {
  readonly uri: string;
  readonly #lib: Binding;
  readonly #options: ConnectionOptions;
  #handle: Pointer | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #error: Pointer;

  constructor(lib: Binding, uri: string, options: ConnectionOptions, handle: Pointer) {
    this.#lib = lib;
    this.uri = uri;
    this.#options = options;
    this.#handle = handle;
    this.#error = lib.room("virError");
  }

  another(): Promise<Connection> {
    return openConnection(this.uri, this.#options);
  }

  use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#session(work));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #session<T>(work: (session: Session) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error(`The connection to ${this.uri} is closed`);
    const lib = this.#lib;
    const handle = (this.#handle = await this.#living());
    const taken: [FunctionName, Pointer][] = [];
    const callWithin: Session["callWithin"] = (ms, name, ...args) => this.#call(handle, ms, name, args);
    try {
      return await work({
        lib,
        connection: handle,
        callWithin,
        call: (name, ...args) => callWithin(this.#options.callMs ?? 60_000, name, ...args),
        take: (release, pointer) => {
          taken.push([release, pointer]);
          return pointer;
        },
      });
    } finally {
      // A call that is stuck still uses its handles: then they are left, with the connection.
      if (this.#handle === handle)
        for (const [release, pointer] of taken.toReversed()) lib.now(release, pointer);
    }
  }

  async #living(): Promise<Pointer> {
    if (this.#handle !== undefined) {
      if (this.#lib.now("virConnectIsAlive", this.#handle) !== 0) return this.#handle;
      await this.#lib.later("virConnectClose", this.#handle);
      this.#handle = undefined;
    }
    return openHandle(this.#lib, this.uri, this.#options);
  }

  async #call<Name extends FunctionName>(
    handle: Pointer,
    deadlineMs: number,
    name: Name,
    args: readonly Argument[],
  ): Promise<Found<Name>> {
    const lib = this.#lib;
    if (this.#handle !== handle) throw stalled(this.uri, name, deadlineMs);
    lib.now("virConnResetLastError", handle);
    const running = lib.later(name, ...args);
    const result = await within(deadlineMs, running, () => {
      this.#handle = undefined;
      abandon(lib, running, () => lib.later("virConnectClose", handle));
      return stalled(this.uri, name, deadlineMs);
    });
    if (!failed(result)) return result as Found<Name>;
    throw callFailed(this.uri, name, this.#lastError(handle));
  }

  #lastError(handle: Pointer): VirtError {
    this.#lib.now("virConnCopyLastError", handle, this.#error);
    const error = virtErrorFrom(this.#lib.decode(this.#error, "virError"));
    this.#lib.now("virResetError", this.#error);
    return error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await this.use(async () => {}).catch(() => {});
    this.#closed = true;
    if (this.#handle !== undefined) await this.#lib.later("virConnectClose", this.#handle);
    await loop?.leave();
  }
}

async function openHandle(lib: Binding, uri: string, options: ConnectionOptions): Promise<Pointer> {
  const turn = opening.then(async () => {
    let loose: VirtError | undefined;
    const hear = (error: VirtError) => (loose = error);
    listening.add(hear);
    listenForLooseErrors((fields) => {
      const error = virtErrorFrom(fields);
      for (const tell of listening) tell(error);
    });
    const running = lib.later("virConnectOpen", uri);
    const openMs = options.openMs ?? 30_000;
    const handle = await within(openMs, running, () => {
      abandon(lib, running, async (late) => {
        if (typeof late === "bigint") await lib.later("virConnectClose", late);
      });
      return stalled(uri, "virConnectOpen", openMs);
    }).finally(() => listening.delete(hear));
    if (handle === null) {
      throw openFailed(uri, loose ?? { code: 0, domain: 0, message: "no reason given", errno: 0 });
    }
    // 1 means "cannot": libvirt's own test hypervisor, which lives in this process. 60 s suit a loaded machine.
    lib.now("virConnectSetKeepAlive", handle, 10, 6);
    return handle;
  });
  opening = atMost(
    aloneMs,
    turn.catch(() => {}),
  );
  return turn;
}

function failed(result: unknown): boolean {
  return result === null || (typeof result === "number" && result < 0);
}

function stalled(uri: string, call: string, deadlineMs: number): ProvisionError {
  return new ProvisionError("LIBVIRT_STALLED", { uri, call, seconds: Math.round(deadlineMs / 100) / 10 });
}

async function within<T>(deadlineMs: number, running: Promise<T>, give: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(give()), deadlineMs);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for something no longer than so long. */
async function atMost(ms: number, running: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([running, late]);
  clearTimeout(timer);
}

/** Leaves a call that is stuck to itself, and tidies up should it ever end. */
function abandon<T>(lib: Binding, running: Promise<T>, tidy: (result: T) => Promise<unknown>): void {
  // C's exit() joins every pool thread, so a thread that is stuck in a call would keep the process for ever.
  const leaveThreads = (code: number) => lib.exitNow(code);
  process.on("exit", leaveThreads);
  const ended = () => process.off("exit", leaveThreads);
  running.then(tidy).then(ended, ended);
}

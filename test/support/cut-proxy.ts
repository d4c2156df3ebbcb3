import { createConnection, createServer, type Socket } from "node:net";

/** `up` is towards the server, `down` towards the client. */
export type Direction = "up" | "down";

/**
 * A TCP proxy in front of a server, with everything that goes wrong on networks: cuts, black holes, delay. A cut
 * is a reset; Node may send a FIN just before it, so a client sees either. Counts and markers run over all
 * connections together. SSH is encrypted: markers are for plain streams; for SSH use byte counts, or call `cut`
 * when the test sees the far side do something.
 */
export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes passed on so far. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** Added to every round trip, half each way; may be set at any time. */
  roundTripMs: number;
  /** Resets every connection now and ends a stall: new connections are served. */
  cut(): void;
  /** From now on nothing passes and nothing is closed: a black hole, for new connections too. */
  stall(): void;
  /** Ends `stall`; what was held back passes. */
  resume(): void;
  /** New connections are reset at once, or served again. */
  refuse(refused: boolean): void;
  /** Does it once `bytes` more have passed; resolves when done. Bytes behind the mark do not pass. */
  after(bytes: number, direction: Direction, act: "cut" | "stall"): Promise<void>;
  /** Does it once this text has passed; resolves when done. */
  afterMarker(marker: string, direction: Direction, act: "cut" | "stall"): Promise<void>;
}

/** Starts a proxy on a loopback port. */
export async function startCutProxy(target: { port: number; host?: string }): Promise<CutProxy> {
  const state = new ProxyState();
  const server = createServer((client) => {
    if (state.refused) {
      client.resetAndDestroy();
      return;
    }
    const upstream = createConnection({ port: target.port, host: target.host ?? "127.0.0.1", noDelay: true });
    client.setNoDelay(true);
    state.pair(client, upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return Object.assign(state, {
    port: typeof address === "object" && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      state.cut();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

interface Trap {
  readonly direction: Direction;
  readonly act: "cut" | "stall";
  /** How many bytes of this piece may still pass; undefined when the trap does not spring yet. */
  springs(piece: Buffer): number | undefined;
  readonly done: () => void;
}

class ProxyState {
  readonly passed: Record<Direction, number> = { up: 0, down: 0 };
  roundTripMs = 0;
  refused = false;
  #stalled = false;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  readonly #traps = new Set<Trap>();

  pair(client: Socket, upstream: Socket): void {
    this.#pipe(client, upstream, "up");
    this.#pipe(upstream, client, "down");
  }

  cut(): void {
    this.#stalled = false;
    this.#held.length = 0;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  refuse(refused: boolean): void {
    this.refused = refused;
  }

  after(bytes: number, direction: Direction, act: "cut" | "stall"): Promise<void> {
    let left = bytes;
    return this.#trap(direction, act, (piece) => {
      if (piece.length >= left) return left;
      left -= piece.length;
      return undefined;
    });
  }

  afterMarker(marker: string, direction: Direction, act: "cut" | "stall"): Promise<void> {
    let tail = Buffer.alloc(0);
    return this.#trap(direction, act, (piece) => {
      const seen = Buffer.concat([tail, piece]);
      const at = seen.indexOf(marker);
      if (at !== -1) return at + Buffer.byteLength(marker) - tail.length;
      tail = seen.subarray(-Buffer.byteLength(marker));
      return undefined;
    });
  }

  #trap(direction: Direction, act: "cut" | "stall", springs: Trap["springs"]): Promise<void> {
    return new Promise((done) => {
      this.#traps.add({ direction, act, springs, done });
    });
  }

  #pipe(from: Socket, to: Socket, direction: Direction): void {
    this.#sockets.add(from);
    from.on("data", (piece) => this.#later(() => this.#pass(piece, to, direction)));
    from.on("end", () => this.#later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => this.#sockets.delete(from));
  }

  #later(pass: () => void): void {
    const act = () => (this.#stalled ? this.#held.push(pass) : pass());
    // Timers of one delay fire in the order they were set, so nothing overtakes.
    if (this.roundTripMs > 0) setTimeout(act, this.roundTripMs / 2);
    else act();
  }

  #pass(piece: Buffer, to: Socket, direction: Direction): void {
    for (const trap of this.#traps) {
      const allowed = trap.direction === direction ? trap.springs(piece) : undefined;
      if (allowed === undefined) continue;
      this.#traps.delete(trap);
      this.#write(piece.subarray(0, allowed), to, direction);
      if (trap.act === "stall") {
        this.stall();
        this.#held.push(() => this.#write(piece.subarray(allowed), to, direction));
        trap.done();
      } else {
        // Nothing more passes until what was allowed is out; the reset throws away what is not.
        this.stall();
        to.write("", () => {
          this.cut();
          trap.done();
        });
      }
      return;
    }
    this.#write(piece, to, direction);
  }

  #write(piece: Buffer, to: Socket, direction: Direction): void {
    this.passed[direction] += piece.length;
    if (!to.destroyed) to.write(piece);
  }
}

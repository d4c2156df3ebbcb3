import type { Binding } from "./binding.ts";

/**
 * libvirt's own event loop, on one pool thread while any connection is open. Without it a daemon hears no answer
 * to its keep-alive and hangs up.
 */
export interface EventLoop {
  /** Runs until `leave` was called as often as `enter`. */
  enter(): void;
  /** Resolves when the loop stands still, if this was the last. */
  leave(): Promise<void>;
}

/** A turn ends by itself after this long, so that stopping never waits for an event. */
const turnMs = 200;

/** One for each process: libvirt takes an implementation only once, and only before the first `open`. */
export function makeEventLoop(lib: Binding): EventLoop {
  lib.now("virEventRegisterDefaultImpl");
  let users = 0;
  let timer = -1;
  let pump: Promise<void> | undefined;

  function start(): void {
    timer = lib.now("virEventAddTimeout", turnMs, lib.doNothing, null, null);
    pump = turn().finally(() => {
      pump = undefined;
      if (users > 0) start();
    });
  }

  async function turn(): Promise<void> {
    for (;;) {
      const broken = (await lib.later("virEventRunDefaultImpl")) < 0;
      if (users === 0 || broken) break;
    }
    // What a closed connection left to be freed is freed by one more turn; the timer at 0 makes it a short one.
    lib.now("virEventUpdateTimeout", timer, 0);
    await lib.later("virEventRunDefaultImpl");
    lib.now("virEventRemoveTimeout", timer);
  }

  return {
    enter() {
      users++;
      if (pump === undefined) start();
      else lib.now("virEventUpdateTimeout", timer, turnMs);
    },
    async leave() {
      users--;
      if (users > 0 || pump === undefined) return;
      lib.now("virEventUpdateTimeout", timer, 0);
      await pump;
    },
  };
}

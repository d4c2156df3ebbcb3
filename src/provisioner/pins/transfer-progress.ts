import type { Run } from "../core/run.ts";

/** Four times a second is more than an eye can follow. */
const sayEveryMs = 250;
/** The rate is that of the last three seconds: of the whole, it would hide that a line has gone slow. */
const samplesKept = 12;

/** Says how far a transfer is, how fast it goes and what is left; to be told of all bytes there are by now. */
export function transferProgress(run: Run, total: number | undefined): (bytes: number) => void {
  const samples: { readonly at: number; readonly bytes: number }[] = [];
  return (bytes) => {
    const at = run.now();
    const last = samples.at(-1);
    if (last && at - last.at < sayEveryMs) return;
    const first = samples[0];
    const rate = first ? ((bytes - first.bytes) / (at - first.at)) * 1000 : undefined;
    samples.push({ at, bytes });
    if (samples.length > samplesKept) samples.shift();
    run.progress(...words(bytes, total, rate));
  };
}

function words(bytes: number, total: number | undefined, rate: number | undefined): [string, number?] {
  const speed = rate === undefined ? [] : [`${mib(rate)} MiB/s`];
  if (total === undefined) return [[`${mib(bytes)} MiB`, ...speed].join(", ")];
  const left = rate === undefined || rate === 0 ? [] : [`${timeLeft((total - bytes) / rate)} left`];
  return [[`${mib(bytes)} of ${mib(total)} MiB`, ...speed, ...left].join(", "), bytes / total];
}

function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 100 ? `${whole} s` : `${Math.ceil(whole / 60)} min`;
}

/** Bytes as MiB, with one digit behind the point. */
export function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

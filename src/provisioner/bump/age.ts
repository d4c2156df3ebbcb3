const dayMs = 86_400_000;

/** Why a release that is out since `since` has to wait; nothing when it has been out long enough. */
export function whyItWaits(since: number | undefined, now: number, minAgeDays: number): string | undefined {
  if (minAgeDays === 0) return undefined;
  if (since === undefined) return `of an age that cannot be known, needs ${days(minAgeDays)}`;
  if (now - since >= minAgeDays * dayMs) return undefined;
  const whole = daysBetween(since, now);
  return `out for ${whole === 0 ? "less than a day" : days(whole)}, needs ${days(minAgeDays)}`;
}

/** Whole days between two times. */
export function daysBetween(since: number, now: number): number {
  return Math.max(Math.floor((now - since) / dayMs), 0);
}

/** "1 day", "3 days". */
export function days(count: number): string {
  return `${count} ${count === 1 ? "day" : "days"}`;
}

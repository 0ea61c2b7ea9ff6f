import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const DURATION = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/;

/** `100ms`, `10m`, `1.5h`, `7d` in milliseconds; undefined for anything else, also for parts of a millisecond. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unitMs === undefined) return undefined;
  const durationMs = Number((Number(match[1]) * unitMs).toFixed(6));
  return Number.isSafeInteger(durationMs) ? durationMs : undefined;
}

/** A length of time in YAML, as milliseconds. */
export function duration(bounds: { readonly atLeast?: string; readonly atMost?: string } = {}): z.ZodType<number> {
  const leastMs = parseDuration(bounds.atLeast ?? '0ms') ?? 0;
  const mostMs = bounds.atMost === undefined ? Infinity : (parseDuration(bounds.atMost) ?? Infinity);
  return z.unknown().transform((value, context) => {
    const durationMs = typeof value === 'string' ? parseDuration(value) : undefined;
    if (durationMs === undefined) {
      const wrote = typeof value === 'number' ? ` (${value} has no unit)` : '';
      context.addIssue(
        value === undefined ? 'is missing' : `must be a length of time such as 100ms, 10m, 2h or 7d${wrote}`,
      );
      return z.NEVER;
    }
    if (durationMs < leastMs || durationMs > mostMs) {
      const most = bounds.atMost === undefined ? '' : ` and at most ${bounds.atMost}`;
      context.addIssue(`must be at least ${bounds.atLeast ?? '0ms'}${most}`);
      return z.NEVER;
    }
    return durationMs;
  });
}

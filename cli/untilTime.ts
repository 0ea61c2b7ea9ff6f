import { parseDuration } from '../infra/deployment/duration.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;

export const UNTIL_FORMS =
  'a length of time such as 30d, a date (from its start in UTC) or a time such as 2027-01-31T08:00+08:00';

/** Epoch milliseconds of an end that a user gives; undefined: it is none of UNTIL_FORMS. It may be past. */
export function parseUntil(text: string, nowMs: number): number | undefined {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return nowMs + durationMs;
  if (!DATE.test(text) && !TIME.test(text)) return undefined;
  const timeMs = Date.parse(text.replace(' ', 'T'));
  const day = text.slice(0, 10);
  const dayMs = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(timeMs) || Number.isNaN(dayMs)) return undefined;
  // The parser makes March of a 30th of February.
  return new Date(dayMs).toISOString().startsWith(day) ? timeMs : undefined;
}

/** `2027-01-31 00:00 UTC`. */
export function untilText(timeMs: number | null): string {
  return timeMs === null ? 'never' : `${new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

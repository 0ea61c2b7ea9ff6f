import { describe, expect, it } from 'vitest';
import { parseUntil, untilText } from './untilTime.ts';

const NOW_MS = Date.UTC(2026, 10, 28, 12);

describe('an end', () => {
  it.each([
    ['30d', '2026-12-28 12:00 UTC'],
    ['90m', '2026-11-28 13:30 UTC'],
    ['2027-01-31', '2027-01-31 00:00 UTC'],
    ['2027-01-31T08:00+08:00', '2027-01-31 00:00 UTC'],
    ['2027-01-31 08:00:30Z', '2027-01-31 08:00 UTC'],
  ])('%s is %s', (text, says) => {
    expect(untilText(parseUntil(text, NOW_MS) ?? 0)).toBe(says);
  });

  it.each(['', 'tomorrow', '2027-02-30', '2027-13-01', '2027-01-31T08:00', '31.01.2027', '1800000000000', '30'])(
    'cannot be %s',
    (text) => {
      expect(parseUntil(text, NOW_MS)).toBeUndefined();
    },
  );
});

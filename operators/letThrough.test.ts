import { describe, expect, it } from 'vitest';
import { bareTransaction } from './cel/bareContext.ts';
import { compileLetThrough, letThroughProblems } from './letThrough.ts';

const settings = { percent: 2, maxAmountMinor: { CNY: 20_000, JPY: 300 }, salt: 'autumn' };
const letsThrough = compileLetThrough(settings);
const accounts = Array.from({ length: 20_000 }, (_, index) => `a-${index}`);
const isIn = (account: string, percent = 2, salt = 'autumn'): boolean =>
  compileLetThrough({ ...settings, percent, salt })({ ...bareTransaction, account }, 'normal');
const chosen = accounts.find((account) => letsThrough({ ...bareTransaction, account }, 'normal')) ?? '';
const tx = { ...bareTransaction, account: chosen, amountMinor: 20_000, currency: 'CNY' };

describe('what is let through', () => {
  it('is the share asked for, of accounts as a whole, and other accounts with another salt', () => {
    const share = accounts.filter((account) => isIn(account));
    expect(share.length / accounts.length).toBeCloseTo(0.02, 2);
    for (const account of share.slice(0, 50))
      for (const transactionId of ['t-1', 't-2', 't-3'])
        expect(letsThrough({ ...bareTransaction, account, transactionId }, 'normal')).toBe(true);
    const others = accounts.filter((account) => isIn(account, 2, 'winter'));
    expect(others.filter((account) => share.includes(account)).length).toBeLessThan(share.length / 10);
  });

  it('only grows with the percentage', () => {
    for (const account of accounts.slice(0, 2_000)) if (isIn(account, 1)) expect(isIn(account, 5)).toBe(true);
  });

  it("is of an amount up to its currency's limit, in a currency that has one", () => {
    expect(letsThrough(tx, 'normal')).toBe(true);
    expect(letsThrough({ ...tx, amountMinor: 20_001 }, 'normal')).toBe(false);
    expect(letsThrough({ ...tx, currency: 'JPY', amountMinor: 301 }, 'normal')).toBe(false);
    expect(letsThrough({ ...tx, currency: 'USD', amountMinor: 1 }, 'normal')).toBe(false);
    expect(letsThrough({ ...tx, currency: 'constructor', amountMinor: 0 }, 'normal')).toBe(false);
  });

  it('is nothing in a lockdown', () => {
    expect(letsThrough(tx, 'elevated')).toBe(true);
    expect(letsThrough(tx, 'lockdown')).toBe(false);
  });
});

it('settings that make no sense are told with their place', () => {
  const paths = (given: Partial<typeof settings>): readonly string[] =>
    letThroughProblems({ ...settings, ...given }).map(({ path }) => path.join('.'));
  expect(letThroughProblems(settings)).toEqual([]);
  expect(letThroughProblems(undefined)).toEqual([]);
  for (const percent of [0, -1, NaN, 10.1, Infinity]) expect(paths({ percent })).toEqual(['letThrough.percent']);
  const limits = (maxAmountMinor: Record<string, number>): readonly string[] =>
    letThroughProblems({ ...settings, maxAmountMinor }).map(({ path }) => path.join('.'));
  expect(limits({})).toEqual(['letThrough.maxAmountMinor']);
  expect(limits({ cny: 5 })).toEqual(['letThrough.maxAmountMinor.cny']);
  for (const limit of [0, 1.5, NaN, 1e13]) expect(limits({ CNY: limit })).toEqual(['letThrough.maxAmountMinor.CNY']);
  expect(paths({ salt: ' ' })).toEqual(['letThrough.salt']);
  expect(paths({ salt: 'x'.repeat(65) })).toEqual(['letThrough.salt']);
});

import { describe, expect, it } from 'vitest';
import { declinePrecision, type LetThroughSums } from './declinePrecision.ts';
import { Random } from './simulate/random.ts';

interface Payment {
  readonly account: number;
  readonly isFraud: boolean;
  readonly weight: number;
}

/** The sums as the history's query makes them. */
function sumsOf(payments: readonly Payment[]): LetThroughSums {
  const byAccount = new Map<number, { weight: number; fraudWeight: number }>();
  for (const { account, isFraud, weight } of payments) {
    const sums = byAccount.get(account) ?? { weight: 0, fraudWeight: 0 };
    byAccount.set(account, {
      weight: sums.weight + weight,
      fraudWeight: sums.fraudWeight + (isFraud ? weight : 0),
    });
  }
  const accounts = [...byAccount.values()];
  const sum = (value: (each: (typeof accounts)[number]) => number): number =>
    accounts.reduce((total, each) => total + value(each), 0);
  return {
    payments: payments.length,
    frauds: payments.filter(({ isFraud }) => isFraud).length,
    accounts: accounts.length,
    weight: sum(({ weight }) => weight),
    fraudWeight: sum(({ fraudWeight }) => fraudWeight),
    weightSquares: sum(({ weight }) => weight * weight),
    fraudWeightSquares: sum(({ fraudWeight }) => fraudWeight * fraudWeight),
    products: sum(({ weight, fraudWeight }) => weight * fraudWeight),
  };
}

function alike(fraud: number, genuine: number): readonly Payment[] {
  return Array.from({ length: fraud + genuine }, (_, account) => ({ account, isFraud: account < fraud, weight: 1000 }));
}

describe('the precision of declines', () => {
  it('is unknown without a payment that was let through', () => {
    expect(declinePrecision(sumsOf([]))).toBeNull();
  });

  it('is the share of frauds, each payment standing for those that its share was drawn from', () => {
    const found = declinePrecision(sumsOf(alike(30, 10)));
    expect(found).toMatchObject({ precision: 0.75, declines: 40_000, genuineDeclines: 10_000 });
    // Where the share was raised tenfold, each payment stands for a tenth.
    const mixed = sumsOf([
      ...alike(10, 0),
      ...alike(0, 100).map((each) => ({ ...each, account: each.account + 50, weight: 100 })),
    ]);
    expect(declinePrecision(mixed)?.precision).toBe(0.5);
  });

  it("has Wilson's interval where every payment is of another account", () => {
    // 30 of 40: Wilson's 95% is 0.5981 to 0.8582; the variance has n - 1 instead of n.
    const found = declinePrecision(sumsOf(alike(30, 10)));
    expect(found?.low).toBeCloseTo(0.5967, 2);
    expect(found?.high).toBeCloseTo(0.8586, 2);
  });

  it('stays between 0 and 1 where all are alike, and says how little few accounts tell', () => {
    const all = declinePrecision(sumsOf(alike(20, 0)));
    expect(all).toMatchObject({ precision: 1, high: 1 });
    expect(all?.low).toBeCloseTo(0.8389, 3);
    const oneAccount = declinePrecision(sumsOf(alike(20, 0).map((each) => ({ ...each, account: 7 }))));
    expect(oneAccount?.low).toBeCloseTo(0.2065, 3);
  });

  it('is wider where payments of an account are alike', () => {
    const apart = declinePrecision(sumsOf(alike(40, 40)));
    const together = declinePrecision(
      sumsOf(alike(40, 40).map((each) => ({ ...each, account: Math.floor(each.account / 10) }))),
    );
    expect((together?.high ?? 0) - (together?.low ?? 0)).toBeGreaterThan(2 * ((apart?.high ?? 0) - (apart?.low ?? 1)));
  });

  it('holds the truth 95 times in a hundred, whatever share accounts are drawn by', () => {
    const random = new Random(11, 'declinePrecision');
    let held = 0;
    let error = 0;
    const trials = 400;
    for (let trial = 0; trial < trials; trial++) {
      const population: Payment[] = [];
      const drawn: Payment[] = [];
      const percent = random.pick([5, 20]);
      for (let account = 0; account < 2_000; account++) {
        const isCriminal = random.chance(0.6);
        const isDrawn = random.chance(percent / 100);
        for (let left = random.integer(1, 6); left > 0; left--) {
          const payment = { account, isFraud: random.chance(isCriminal ? 0.9 : 0.1), weight: 100 / percent };
          population.push(payment);
          if (isDrawn) drawn.push(payment);
        }
      }
      const truth = population.filter(({ isFraud }) => isFraud).length / population.length;
      const found = declinePrecision(sumsOf(drawn));
      if (found === null) throw new Error('nothing was drawn');
      error += found.precision - truth;
      if (found.low <= truth && truth <= found.high) held += 1;
    }
    expect(Math.abs(error / trials)).toBeLessThan(0.01);
    expect(held / trials).toBeGreaterThan(0.92);
    expect(held / trials).toBeLessThan(0.985);
  });
});

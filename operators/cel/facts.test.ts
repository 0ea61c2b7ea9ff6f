import { describe, expect, it } from 'vitest';
import { compileCel } from './compile.ts';
import { LABELS, OUTCOMES, type FactsRead, type KnownFacts } from './facts.ts';

function read(where: string): FactsRead {
  const compiled = compileCel(where, { kind: 'where' });
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.value.facts;
}

describe('the facts that an expression reads', () => {
  it.each([
    ["tx.type == 'purchase' && 'label' != tx.device", false, [], false],
    ["label == 'fraud'", true, [], false],
    ["tx.amountMinor > 5 && outcome == 'declined'", false, ['declined'], false],
    ["'settled' != outcome || !(outcome in ['declined', 'none'])", false, ['none', 'declined', 'settled'], false],
    ["label == outcome || outcome == 'declined'", true, OUTCOMES, false],
    ["outcome.startsWith('auth')", false, OUTCOMES, false],
    ["(tx.amountMinor > 5 ? outcome : 'none') == 'declined'", false, OUTCOMES, false],
    ["size(outcome) > 5 ? true : outcome == 'other'", false, OUTCOMES, false],
    ["!reversed && outcome == 'settled'", false, ['settled'], true],
  ])('%s', (where, label, outcomes, reversed) => {
    expect(read(where)).toEqual({ label, outcomes, reversed });
  });

  it('are all that the schemas have', () => {
    // The compiler refuses these when the schemas get a further value.
    const labels: Readonly<Record<KnownFacts['label'], true>> = { none: true, fraud: true, genuine: true };
    const outcomes: Readonly<Record<KnownFacts['outcome'], true>> = {
      none: true,
      authorised: true,
      declined: true,
      captured: true,
      cancelled: true,
      settled: true,
      authenticationPassed: true,
      authenticationFailed: true,
      other: true,
    };
    expect(LABELS).toEqual(Object.keys(labels));
    expect(OUTCOMES).toEqual(Object.keys(outcomes));
  });
});

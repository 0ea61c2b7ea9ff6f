import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerdictReply } from '../../pipeline/gateway.ts';
import type { Reason } from '../../schemas/types.ts';
import { verdictJson } from './verdictJson.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const number = fc.oneof(fc.double(), fc.integer());
const reason: fc.Arbitrary<Reason> = fc.record({
  code: text,
  rule: fc.option(text),
  version: fc.option(fc.integer()),
  list: fc.option(text),
  feature: fc.option(text),
  contribution: fc.option(number),
  value: fc.option(number),
  text: fc.option(fc.record({ en: text, zh: text })),
});
const verdict: fc.Arbitrary<VerdictReply> = fc.record({
  transactionId: text,
  verdict: fc.constantFrom('approve', 'challenge', 'review', 'decline'),
  score: fc.integer({ min: 0, max: 1000 }),
  status: fc.constantFrom('new', 'duplicate'),
  mode: fc.constantFrom('full', 'noModel', 'rulesOnly', 'fallback'),
  degraded: fc.array(text, { maxLength: 3 }),
  reasons: fc.array(reason, { maxLength: 4 }),
  ruleSet: text,
  model: fc.option(fc.record({ id: text, version: text })),
  ledgerOffset: fc.option(fc.nat()),
});

describe('verdictJson', () => {
  it('is JSON.stringify of the verdict without null and non-finite fields of reasons', () => {
    fc.assert(
      fc.property(verdict, (value) => {
        const reasons = value.reasons.map((each) =>
          Object.fromEntries(
            Object.entries(each).filter(
              ([, field]) => field !== null && (typeof field !== 'number' || Number.isFinite(field)),
            ),
          ),
        );
        expect(verdictJson(value)).toBe(JSON.stringify({ ...value, reasons }));
      }),
    );
  });
});

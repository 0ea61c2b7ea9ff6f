import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../schemas/types.ts';
import { bareContext, bareTransaction } from './bareContext.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import { compileCel, parseForCheck } from './compile.ts';
import type { CelScope } from './scope.ts';

/**
 * Closures against the library's own evaluator, over generated expressions and payments. What Sluice defines beyond
 * CEL is left out here and stated in compile.test.ts: text functions of null, a card that is absent, list().
 */
const scope: CelScope = {
  kind: 'rule',
  features: ['a', 'b', 'c'],
  params: { n: 2.5, flag: true, word: 'otp', words: ['CN', 'US'] },
  lists: [],
};

const someNumber = fc.oneof(
  fc.constantFrom(NaN, 0, -0, 1, -1, 2.5, 3, Infinity, -Infinity),
  fc.integer({ min: -1000, max: 1000 }),
  fc.double(),
);
const someText = fc.constantFrom('CN', 'US', 'otp', '', 'd-1', '店😀');
const attributeName = fc.constantFrom('x', 'y', 'toString');

const payment: fc.Arbitrary<Transaction> = fc
  .record({
    eventTimeMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    amountMinor: fc.integer({ min: 0, max: 10 }),
    type: fc.constantFrom('purchase' as const, 'transfer' as const),
    currency: someText,
    device: fc.option(someText),
    country: fc.option(someText),
    card: fc.record({ token: someText, bin: fc.option(someText), last4: fc.option(someText) }),
    authMethods: fc.array(someText, { maxLength: 3 }),
    attributes: fc.dictionary(
      attributeName,
      fc.oneof(fc.constantFrom(1, 2.5, 'otp', true, false), fc.double({ noNaN: true })),
      { maxKeys: 3 },
    ),
  })
  .map((fields) => ({ ...bareTransaction, ...fields }));

const { bool } = fc.letrec<{ bool: string; number: string }>((tie) => {
  const pair = (operators: readonly string[], left: fc.Arbitrary<string>, right: fc.Arbitrary<string>) =>
    fc.tuple(left, fc.constantFrom(...operators), right).map(([a, operator, b]) => `(${a} ${operator} ${b})`);
  const attribute = attributeName.map((name) => `tx.attributes.${name}`);
  const nullable = fc.constantFrom('tx.device', 'tx.country', 'tx.card.bin', 'tx.card.last4');
  const present = fc.constantFrom('tx.currency', 'tx.card.token', 'tx.transactionId', 'p.word');
  const textLiteral = someText.map((value) => JSON.stringify(value));
  const comparison = ['<', '<=', '>', '>=', '==', '!='];
  const number = tie('number');
  return {
    number: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      fc.constantFrom('f.a', 'f.b', 'f.c', 'tx.amountMinor', 'p.n', 'm.score', 'm.probability', 'size(tx.authMethods)'),
      fc.constantFrom(
        '0',
        '3',
        '0x10',
        '2.5',
        '1e3',
        '-1',
        '9007199254740993',
        'size(tx.currency)',
        'hour(tx.eventTimeMs)',
      ),
      pair(['+', '-', '*', '/', '%'], number, number),
      pair(['+', '-', '*', '/', '%'], attribute, number),
      number.map((a) => `-(${a})`),
      number.map((a) => `abs(${a})`),
      fc
        .tuple(fc.constantFrom('min', 'max', 'median'), fc.array(number, { minLength: 2, maxLength: 4 }))
        .map(([name, values]) => `${name}(${values.join(', ')})`),
      fc.tuple(number, number, number, number).map((places) => `distanceKm(${places.join(', ')})`),
      fc.tuple(tie('bool'), number, number).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    ),
    bool: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      fc.constantFrom(
        'true',
        'p.flag',
        "(tx.type == 'purchase')",
        "(tx.type in ['refund', 'transfer'])",
        '(tx.card != null)',
      ),
      pair(comparison, number, number),
      pair(comparison, attribute, number),
      pair(['==', '!='], attribute, fc.oneof(textLiteral, fc.constantFrom('true', 'false', 'null'))),
      pair(['==', '!='], nullable, fc.oneof(textLiteral, fc.constant('null'))),
      pair(['==', '!='], present, textLiteral),
      pair(['in'], fc.oneof(nullable, present), fc.constantFrom('tx.authMethods', 'p.words', '["CN", "d-1"]')),
      pair(['in'], number, fc.constant('[1, 2.5, -3, 0]')),
      fc
        .tuple(present, fc.constantFrom('startsWith', 'endsWith', 'contains'), textLiteral)
        .map(([a, name, b]) => `${a}.${name}(${b})`),
      fc
        .tuple(present, fc.constantFrom('^d-', '(?i)cn', '^.{2}$', 'o|t', ''))
        .map(([a, pattern]) => `${a}.matches(${JSON.stringify(pattern)})`),
      fc.tuple(number, number, number).map((values) => `near(${values.join(', ')})`),
      attributeName.map((name) => `has(tx.attributes.${name})`),
      number.map((a) => `defined(${a})`),
      tie('bool').map((a) => `!(${a})`),
      pair(['&&', '||', '==', '!='], tie('bool'), tie('bool')),
      pair(['&&', '||'], attribute, tie('bool')),
      pair(['&&', '||'], tie('bool'), attribute),
      fc.tuple(tie('bool'), tie('bool'), tie('bool')).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
    ),
  };
});

type Result = boolean | 'failed';

function libraryResult(source: string, context: Record<string, unknown>): Result {
  const parsed = parseForCheck(source, scope, 'dyn');
  try {
    const value: unknown = parsed(context);
    if (typeof value !== 'boolean') throw new TypeError(`the library gave a ${typeof value}`);
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'EvaluationError') return 'failed';
    throw error;
  }
}

describe('compiled closures', () => {
  it("agree with the library's evaluator on every generated expression and payment", () => {
    const seen = { true: 0, false: 0, failed: 0 };
    fc.assert(
      fc.property(
        bool,
        payment,
        fc.tuple(someNumber, someNumber, someNumber),
        someNumber,
        (source, tx, [a, b, c], score) => {
          const compiled = compileCel(source, scope);
          if (!compiled.ok) {
            // Generated sources may grow past the size bounds, never past the language.
            expect(compiled.code, `${source}: ${compiled.message}`).toBe('SLUICE_CEL_TOO_LARGE');
            return;
          }
          const m = { score, probability: score / 1000 };
          const expected = libraryResult(source, { tx, f: { a, b, c }, m, p: scope.params });
          let result: Result;
          try {
            const context = { tx, modelScore: m.score, modelProbability: m.probability };
            result = compiled.value.test(bareContext({ ...context, features: Float64Array.of(a, b, c) }));
          } catch (error) {
            if (!(error instanceof CelEvaluationError)) throw error;
            result = 'failed';
          }
          seen[`${result}`]++;
          expect(result).toBe(expected);
        },
      ),
      { numRuns: 2000 },
    );
    // The property means little unless all three happen often.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
  });
});

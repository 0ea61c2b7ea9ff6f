import fc from 'fast-check';
import type { Transaction } from '../../../schemas/types.ts';
import { bareTransaction } from '../bareContext.ts';
import type { CelScope } from '../scope.ts';

/** The scope that random expressions are written for. */
export const randomScope: CelScope = {
  kind: 'rule',
  features: ['a', 'b', 'c'],
  params: { n: 2.5, flag: true, word: 'otp', words: ['CN', "it's \\ 店"] },
  lists: ['known'],
};
/** What the list `known` holds. */
export const knownTexts = ['CN', 'd-1'];

const someText = fc.constantFrom('CN', 'US', 'otp', '', 'd-1', '店😀', "it's \\ 店", '日本');
const attributeName = fc.constantFrom('x', 'y', 'toString');

/** Of each kind that RE2 knows. */
const somePattern = fc
  .constantFrom(
    '^d-',
    'C.',
    '(?i)cn|us',
    '^$',
    '',
    '[^a-z]+',
    '\\d',
    '店',
    '\\pL{2}',
    's \\\\ ',
    '^.$',
    'o(t|p)*$',
    '(?s)t.s',
  )
  .map((pattern) => JSON.stringify(pattern));

/** A number that a feature may be: every kind of double. */
export const randomNumber = fc.oneof(
  fc.constantFrom(NaN, 0, -0, 1, -1, 2.5, 3, Infinity, -Infinity),
  fc.integer({ min: -1000, max: 1000 }),
  fc.double(),
);

/** What the feature `c` may be, and the only one that % is tried on: SQL's is exact for whole numbers only. */
export const randomWholeNumber = fc.oneof(
  fc.constantFrom(NaN, 0, -0, 1, -1, 3, Infinity, -Infinity),
  fc.integer({ min: -1000, max: 1000 }),
  fc.maxSafeInteger(),
);

/** Payments with every field present or absent. */
export const randomPayment: fc.Arbitrary<Transaction> = fc
  .record({
    eventTimeMs: fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }),
    amountMinor: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 1_000_000_000_000 })),
    type: fc.constantFrom('purchase' as const, 'transfer' as const, 'refund' as const),
    channel: fc.constantFrom('card' as const, 'qr' as const),
    currency: fc.constantFrom('CN', 'US', 'otp'),
    account: fc.option(someText),
    device: fc.option(someText),
    merchant: fc.option(someText),
    country: fc.option(someText),
    card: fc.option(fc.record({ token: someText, bin: fc.option(someText), last4: fc.option(someText) })),
    authMethods: fc.array(someText, { maxLength: 3 }),
    attributes: fc.dictionary(
      attributeName,
      fc.oneof(fc.constantFrom(1, 2.5, -3, 'otp', 'CN', true, false), fc.double({ noNaN: true })),
      { maxKeys: 3 },
    ),
  })
  .map((fields) => ({ ...bareTransaction, ...fields }));

/**
 * Random expressions over all of the language. Divisors are such that they are never a computed zero, whose sign SQL does
 * not keep in min, max and %.
 */
const expressions = fc.letrec<{ bool: string; number: string; text: string; mixed: string }>((tie) => {
  const pair = (operators: readonly string[], left: fc.Arbitrary<string>, right: fc.Arbitrary<string>) =>
    fc.tuple(left, fc.constantFrom(...operators), right).map(([a, operator, b]) => `(${a} ${operator} ${b})`);
  const choice = (condition: fc.Arbitrary<string>, left: fc.Arbitrary<string>, right: fc.Arbitrary<string>) =>
    fc.tuple(condition, left, right).map(([c, a, b]) => `(${c} ? ${a} : ${b})`);
  const attribute = attributeName.map((name) => `tx.attributes.${name}`);
  const textLiteral = someText.map((value) => JSON.stringify(value));
  const zone = fc.constantFrom("'+08:00'", "'-03:30'", "'Z'");
  const comparison = ['<', '<=', '>', '>=', '==', '!='];
  const [bool, number, text, mixed] = [tie('bool'), tie('number'), tie('text'), tie('mixed')];
  const plainNumber = fc.constantFrom('f.b', 'f.c', 'tx.amountMinor', 'p.n', '3', '-2.5', '0.1', '1e3');
  const wholeNumber = fc.constantFrom('f.c', 'tx.amountMinor', 'tx.eventTimeMs', '7', '-3', '1e3');
  return {
    number: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      fc.constantFrom('f.a', 'f.b', 'f.c', 'tx.amountMinor', 'tx.eventTimeMs', 'p.n', 'm.score', 'm.probability'),
      fc.constantFrom('0', '3', '0x10', '2.5', '1e3', '-1', '9007199254740993', '1e300', 'size(tx.authMethods)'),
      text.map((a) => `size(${a})`),
      fc.constantFrom('hour(tx.eventTimeMs)', 'dayOfWeek(tx.eventTimeMs)', 'hour(tx)', "dayOfWeek(tx, '+05:30')"),
      fc
        .tuple(fc.constantFrom('min', 'max', 'median'), fc.array(number, { minLength: 2, maxLength: 5 }))
        .map(([name, values]) => `${name}(${values.join(', ')})`),
      fc.tuple(number, attribute, plainNumber, number).map((places) => `distanceKm(${places.join(', ')})`),
      fc
        .tuple(fc.constantFrom('hour', 'dayOfWeek'), zone)
        .map(([name, offset]) => `${name}(tx.eventTimeMs, ${offset})`),
      fc
        .tuple(fc.constantFrom('hour', 'dayOfWeek'), number, zone)
        .map(([name, a, offset]) => `${name}(${a}, ${offset})`),
      pair(['+', '-', '*'], number, number),
      pair(['+', '-', '*', '/'], attribute, plainNumber),
      pair(
        ['/'],
        number,
        fc.oneof(
          plainNumber,
          number.map((a) => `(${a} + 0.5)`),
        ),
      ),
      pair(['%'], wholeNumber, wholeNumber),
      number.map((a) => `-(${a})`),
      number.map((a) => `abs(${a})`),
      fc.tuple(fc.constantFrom('min', 'max'), number, number).map(([name, a, b]) => `${name}(${a}, ${b})`),
      choice(bool, number, number),
    ),
    text: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      fc.constantFrom('tx.device', 'tx.country', 'tx.merchant', 'tx.account', 'tx.card.token', 'tx.card.bin'),
      fc.constantFrom('tx.currency', 'tx.type', 'tx.channel', 'tx.transactionId', 'p.word'),
      textLiteral,
      choice(fc.oneof(bool, attribute), text, text),
    ),
    mixed: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      attribute,
      choice(bool, attribute, fc.oneof(number, bool, attribute)),
    ),
    bool: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'cel' },
      fc.constantFrom('true', 'p.flag', "(tx.type == 'purchase')", "(tx.type in ['refund', 'transfer'])"),
      fc.constantFrom('(tx.card != null)', '(tx.card == null)', '(tx.card == tx.card)'),
      pair(comparison, number, number),
      pair(comparison, mixed, number),
      pair(['==', '!='], mixed, fc.oneof(text, bool, mixed, fc.constant('null'))),
      pair(['==', '!='], text, fc.oneof(text, fc.constant('null'))),
      pair(['in'], text, fc.constantFrom('tx.authMethods', 'p.words', '["CN", "d-1"]', '[]')),
      pair(['in'], number, fc.constant('[1, 2.5, -3, 0]')),
      pair(['in'], mixed, fc.constantFrom('[1, 2.5]', '["otp"]', 'tx.authMethods', 'p.words')),
      fc
        .tuple(text, fc.constantFrom('startsWith', 'endsWith', 'contains'), text)
        .map(([a, name, b]) => `${a}.${name}(${b})`),
      fc
        .tuple(text, somePattern, fc.boolean())
        .map(([a, pattern, isMethod]) => (isMethod ? `${a}.matches(${pattern})` : `matches(${a}, ${pattern})`)),
      fc.tuple(number, mixed, plainNumber).map((values) => `near(${values.join(', ')})`),
      text.map((a) => `list("known", ${a})`),
      attributeName.map((name) => `list("known", tx.attributes.${name})`),
      attributeName.map((name) => `has(tx.attributes.${name})`),
      number.map((a) => `defined(${a})`),
      bool.map((a) => `!(${a})`),
      pair(['&&', '||', '==', '!='], bool, bool),
      pair(['&&', '||'], mixed, bool),
      pair(['&&', '||'], bool, mixed),
      choice(bool, bool, bool),
    ),
  };
});

/** A condition, as in rules. Some are refused by the compiler: literals that a closed field never has, or too large. */
export const randomCondition = expressions.bool;

import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../schemas/types.ts';
import { bareContext, bareTransaction } from './bareContext.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import { compileCel } from './compile.ts';
import type { EvaluationContext } from './context.ts';
import type { CelScope } from './scope.ts';

const scope: CelScope = {
  kind: 'rule',
  features: ['count', 'average'],
  params: { minAmount: 5000, codes: ['5944', '5732'], zone: '+08:00', strict: true },
  lists: ['watch-devices'],
};

function evaluate(source: string, given: Partial<EvaluationContext> = {}, within: CelScope = scope): boolean | number {
  const compiled = compileCel(source, within);
  if (!compiled.ok) throw new Error(`${compiled.code}: ${compiled.message}`);
  return compiled.value.evaluate(bareContext({ features: new Float64Array([NaN, NaN]), ...given }));
}

const tx = (fields: Partial<Transaction>): Partial<EvaluationContext> => ({ tx: { ...bareTransaction, ...fields } });
const f = (count: number, average = NaN): Partial<EvaluationContext> => ({
  features: new Float64Array([count, average]),
});

function refusal(source: string, within: CelScope = scope): string {
  const compiled = compileCel(source, within);
  return compiled.ok ? 'accepted' : `${compiled.code} at ${compiled.position}: ${compiled.message}`;
}

describe('numbers', () => {
  it('compare and compute whether written 3 or 3.0', () => {
    expect(evaluate('f.count > 3', f(4))).toBe(true);
    expect(evaluate('f.count > 3.0', f(4))).toBe(true);
    expect(evaluate('f.count == 4', f(4))).toBe(true);
    expect(evaluate('tx.amountMinor >= p.minAmount', tx({ amountMinor: 5000 }))).toBe(true);
    expect(evaluate('(f.count > 1 ? 1 : f.average) + max(f.count, 2) == 5', f(4))).toBe(true);
    expect(evaluate('size(tx.authMethods) + 1 == 2', tx({ authMethods: ['otp'] }))).toBe(true);
    expect(evaluate('f.count in [1, 2.5, -4]', f(-4))).toBe(true);
  });

  it('are doubles: fractions stay, division by zero is infinite or NaN', () => {
    expect(evaluate('1 / 2 == 0.5')).toBe(true);
    expect(evaluate('f.count / 0 > 1000000', f(1))).toBe(true);
    expect(evaluate('defined(f.count / 0)', f(0))).toBe(false);
    expect(evaluate('f.count % 3 == 1', f(7))).toBe(true);
  });

  it('that are undefined stay silent in <, <=, >, >= and ==', () => {
    for (const operator of ['<', '<=', '>', '>=', '=='])
      expect(evaluate(`f.count ${operator} 3`, f(NaN)), operator).toBe(false);
  });

  it('that are undefined differ from everything, hence defined()', () => {
    expect(evaluate('f.count != 3', f(NaN))).toBe(true);
    expect(evaluate('!(f.count > 3)', f(NaN))).toBe(true);
    expect(evaluate('defined(f.count) && f.count != 3', f(NaN))).toBe(false);
  });

  it('come from the row at featureBase', () => {
    expect(evaluate('f.average == 9', { features: new Float64Array([1, 2, 8, 9]), featureBase: 2 })).toBe(true);
  });
});

describe('text that may be absent', () => {
  it('is null, and compares with null and text', () => {
    expect(evaluate('tx.device == null')).toBe(true);
    expect(evaluate("tx.country != 'CN'")).toBe(true);
    expect(evaluate("tx.country == 'CN'", tx({ country: 'CN' }))).toBe(true);
  });

  it('makes text functions and membership false and its size 0', () => {
    expect(evaluate("tx.ip.startsWith('10.')")).toBe(false);
    expect(evaluate("tx.ip.endsWith('') || tx.ip.contains('')")).toBe(false);
    expect(evaluate("tx.mcc in ['5944']")).toBe(false);
    expect(evaluate("list('watch-devices', tx.device)", { lists: { has: () => true, isEmpty: () => false } })).toBe(
      false,
    );
    expect(evaluate('size(tx.device) == 0')).toBe(true);
  });

  it('includes every field of a card that is not there', () => {
    expect(evaluate('tx.card == null && tx.card.bin == null')).toBe(true);
    expect(evaluate("tx.card.bin.startsWith('4')", tx({ card: { token: 'c', bin: '411111', last4: null } }))).toBe(
      true,
    );
    expect(
      evaluate('tx.card != null && tx.card.last4 == null', tx({ card: { token: 'c', bin: null, last4: null } })),
    ).toBe(true);
  });
});

describe('attributes', () => {
  it('are told from absent ones by has()', () => {
    expect(evaluate('has(tx.attributes.items) && tx.attributes.items > 3')).toBe(false);
    expect(evaluate('has(tx.attributes.items) && tx.attributes.items > 3', tx({ attributes: { items: 4 } }))).toBe(
      true,
    );
    expect(evaluate('has(tx.attributes.toString)')).toBe(false);
  });

  it('equal values of their own type only', () => {
    expect(evaluate("tx.attributes.shop == 'a'", tx({ attributes: { shop: 'a' } }))).toBe(true);
    expect(evaluate("tx.attributes.shop == 'a'", tx({ attributes: { shop: 1 } }))).toBe(false);
    expect(evaluate('tx.attributes.vip == true', tx({ attributes: { vip: true } }))).toBe(true);
  });

  it('fail the evaluation when absent or of the wrong type', () => {
    expect(() => evaluate('tx.attributes.items > 3')).toThrow(CelEvaluationError);
    expect(() => evaluate('tx.attributes.items > 3', tx({ attributes: { items: '4' } }))).toThrow(
      'expected a number, found a string',
    );
  });

  it('do no harm where the other side of && or || decides', () => {
    expect(evaluate('tx.attributes.items > 3 || tx.amountMinor == 0')).toBe(true);
    expect(evaluate('tx.attributes.items > 3 && tx.amountMinor == 1')).toBe(false);
    expect(() => evaluate('tx.attributes.items > 3 || tx.amountMinor == 1')).toThrow(CelEvaluationError);
  });
});

describe('functions', () => {
  it('hour and dayOfWeek read the clock at an offset from UTC; 0 is Sunday', () => {
    const sundayNightUtc = tx({ eventTimeMs: Date.UTC(2026, 10, 22, 23, 30) });
    expect(evaluate('hour(tx.eventTimeMs) == 23 && dayOfWeek(tx.eventTimeMs) == 0', sundayNightUtc)).toBe(true);
    expect(evaluate('hour(tx.eventTimeMs, p.zone) == 7', sundayNightUtc)).toBe(true);
    expect(evaluate("dayOfWeek(tx.eventTimeMs, '+08:00') == 1", sundayNightUtc)).toBe(true);
    expect(evaluate("hour(tx.eventTimeMs, '-03:45') == 19", sundayNightUtc)).toBe(true);
  });

  it('list asks a declared list', () => {
    const lists = {
      has: (list: string, value: string) => list === 'watch-devices' && value === 'd-1',
      isEmpty: () => false,
    };
    expect(evaluate("list('watch-devices', tx.device)", { ...tx({ device: 'd-1' }), lists })).toBe(true);
    expect(evaluate("list('watch-devices', tx.device)", { ...tx({ device: 'd-2' }), lists })).toBe(false);
  });

  it('size counts characters, not UTF-16 units', () => {
    expect(evaluate('size(tx.merchant) == 3 && tx.merchant.size() == 3', tx({ merchant: '店😀a' }))).toBe(true);
  });

  it('in looks through literals, params and authMethods', () => {
    expect(evaluate("'otp' in tx.authMethods", tx({ authMethods: ['password', 'otp'] }))).toBe(true);
    expect(evaluate('tx.mcc in p.codes', tx({ mcc: '5732' }))).toBe(true);
    expect(evaluate('p.strict && p.zone == "+08:00"')).toBe(true);
  });

  it('m is the model, undefined when none scored', () => {
    expect(evaluate('m.score >= 700', { modelScore: 700 })).toBe(true);
    expect(evaluate('m.score >= 0')).toBe(false);
    expect(evaluate('m.probability > 0.5', { modelProbability: 0.6 })).toBe(true);
  });
});

describe('what an expression gives and uses', () => {
  it('is listed for the catalogue and the rule set', () => {
    const compiled = compileCel("f.average > p.minAmount && f.average < 9 && list('watch-devices', tx.device)", scope);
    expect(compiled).toMatchObject({
      ok: true,
      value: { type: 'bool', features: ['average'], params: ['minAmount'], lists: ['watch-devices'], usesModel: false },
    });
  });

  it('is a number or a bool in a feature, which counts as 1 or 0', () => {
    const within: CelScope = { kind: 'expression', features: ['count', 'average'] };
    expect(evaluate('f.count * 2', f(4), within)).toBe(8);
    expect(evaluate('tx.attributes.items', tx({ attributes: { items: 3 } }), within)).toBe(3);
    const compiled = compileCel("tx.type == 'refund'", within);
    expect(compiled.ok && compiled.value.number(bareContext(tx({ type: 'refund' })))).toBe(1);
  });

  it('may read what became known of a payment only in a where clause', () => {
    const known = { label: 'fraud', outcome: 'declined', reversed: false } as const;
    const where: CelScope = { kind: 'where' };
    expect(evaluate("label == 'fraud' && outcome == 'declined' && !reversed", { known }, where)).toBe(true);
    expect(evaluate("outcome in ['none', 'settled']", { known }, where)).toBe(false);
    expect(refusal("outcome == 'declned'", where)).toBe(
      "SLUICE_CEL_TYPE at 0: outcome is never 'declned'; it is one of none, authorised, declined, captured, cancelled, " +
        'settled, authenticationPassed, authenticationFailed, other',
    );
    expect(refusal("reversed == 'yes'", where)).toMatch(/^SLUICE_CEL_TYPE/);
    expect(refusal('reversed')).toBe('SLUICE_CEL_UNKNOWN_NAME at 0: unknown name: reversed');
    expect(refusal("outcome == 'declined'")).toBe('SLUICE_CEL_UNKNOWN_NAME at 0: unknown name: outcome');
    expect(refusal("label == 'fraud'")).toBe('SLUICE_CEL_UNKNOWN_NAME at 0: unknown name: label');
    expect(refusal('f.count > 1', { kind: 'where' })).toBe('SLUICE_CEL_UNKNOWN_NAME at 0: unknown name: f');
  });
});

describe('refusals say what is wrong and where', () => {
  it.each([
    ['f.nope > 1', "SLUICE_CEL_UNKNOWN_NAME at 2: unknown feature 'nope'"],
    ['tx.amount > 1', "SLUICE_CEL_UNKNOWN_NAME at 3: tx has no field 'amount'"],
    ['tx.card.pan == null', "SLUICE_CEL_UNKNOWN_NAME at 8: tx.card has no field 'pan'"],
    ['p.nope > 1', "SLUICE_CEL_UNKNOWN_NAME at 2: unknown param 'nope'"],
    ["list('nope', tx.device)", 'SLUICE_CEL_UNKNOWN_NAME at 5: no such list: nope'],
    ['tx.account > 3', 'SLUICE_CEL_TYPE at 0: no such overload: string > double'],
    ["tx.type == 'purchse'", "SLUICE_CEL_TYPE at 0: tx.type is never 'purchse'; it is one of purchase, withdrawal, "],
    ["tx.channel in ['card', 'cash']", "SLUICE_CEL_TYPE at 23: tx.channel is never 'cash'"],
    ['f.count', 'SLUICE_CEL_TYPE at 0: must be true or false, but is a number'],
    ['tx.attributes.vip', 'SLUICE_CEL_TYPE at 0: must be true or false, but is an attribute'],
    ['f.count >', 'SLUICE_CEL_SYNTAX at 9: '],
    ['size(f.count) > 1', "SLUICE_CEL_TYPE at 0: found no matching overload for 'size(double)'"],
    ["hour(tx.eventTimeMs, 'Asia/Shanghai') > 1", 'SLUICE_CEL_TYPE at 21: the zone must be an offset'],
    ["tx.authMethods.exists(a, a == 'otp')", 'SLUICE_CEL_UNSUPPORTED at 0: .exists() cannot be used here'],
    ['int(f.count) > 1', 'SLUICE_CEL_UNSUPPORTED at 0: the function int() cannot be used here'],
    ["f['count'] > 1", "SLUICE_CEL_UNSUPPORTED at 0: '[]' cannot be used here"],
    ["'a' + 'b' == 'ab'", 'SLUICE_CEL_UNSUPPORTED at 0: only numbers can be used here'],
    ['has(tx.device)', 'SLUICE_CEL_UNSUPPORTED at 0: has() takes tx.attributes.NAME'],
    ['tx.attributes.a > tx.attributes.b', 'SLUICE_CEL_UNSUPPORTED at 0: attributes can be ordered only against'],
    ['1u == 1u', 'SLUICE_CEL_UNSUPPORTED at 0: this literal cannot be used here'],
  ])('%s', (source, expected) => {
    expect(refusal(source).slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ['too long', `f.count > ${'1'.repeat(4100)}`],
    ['too many nodes', Array(200).fill('f.count > 1').join(' || ')],
    ['nested too deep', `${'('.repeat(60)}true${')'.repeat(60)}`],
    ['a chain too deep', Array(60).fill('true').join(' && ')],
    ['negations too deep', `${'!'.repeat(60)}true`],
  ])('%s is too large', (_what, source) => {
    expect(refusal(source)).toMatch(/^SLUICE_CEL_TOO_LARGE/);
  });
});

describe('functions over numbers and patterns', () => {
  it('take the middle, tell what is near and how far places are', () => {
    expect(evaluate('median(f.count, 1, 9) == 4', f(4))).toBe(true);
    expect(evaluate('median(f.count, 1, 9, 2) == 3', f(4))).toBe(true);
    expect(evaluate('defined(median(f.count, 1))', f(NaN))).toBe(false);
    expect(evaluate('max(1, f.count, 2, 3) == 4 && min(1, f.count, -2) == -2', f(4))).toBe(true);
    expect(evaluate('near(f.count, 100, 0.05)', f(95.1))).toBe(true);
    expect(evaluate('near(f.count, 100, 0.05)', f(94.9))).toBe(false);
    expect(evaluate('near(f.count, f.average, 0.5)', f(NaN, 1))).toBe(false);
    // Shanghai to Beijing.
    const km = 'distanceKm(31.2304, 121.4737, 39.9042, 116.4074)';
    expect(evaluate(`${km} > 1066 && ${km} < 1069`)).toBe(true);
    expect(evaluate('defined(distanceKm(91, 0, 0, 0))')).toBe(false);
  });

  it('match patterns of RE2 anywhere in a text, and never for long', () => {
    expect(evaluate("tx.device.matches('^d-[0-9]+$')", tx({ device: 'd-81' }))).toBe(true);
    expect(evaluate("matches(tx.device, '8')", tx({ device: 'd-81' }))).toBe(true);
    expect(evaluate("tx.device.matches('')")).toBe(false);
    const slow = tx({ device: 'a'.repeat(64) });
    expect(evaluate("tx.device.matches('^(a+)+b$')", slow)).toBe(false);
  });

  it('are refused with a reason', () => {
    expect(refusal("tx.device.matches('(?=a)')")).toMatch(/^SLUICE_CEL_TYPE .*matches\(\): .*\(\?=/);
    expect(refusal('tx.device.matches(tx.ip)')).toMatch(/pattern of matches\(\) must be a literal or a param/);
    expect(refusal("tx.device.matches('a{500}')")).toMatch(/^SLUICE_CEL_COST .*at most 200 are allowed/);
    expect(refusal('near(f.count, 1)')).toMatch(/^SLUICE_CEL_TYPE/);
    expect(refusal('max(1, 2, 3, 4, 5, 6, 7, 8, 9) > 1')).not.toBe('accepted');
  });

  it("know the payment's own hour", () => {
    expect(evaluate("hour(tx, '+08:00') == 3 && hour(tx) == 19", tx({ eventTimeMs: 1_767_207_600_000 }))).toBe(true);
    expect(refusal("hour(tx, 'Asia/Shanghai') == 3")).toMatch(/offset from UTC/);
  });
});

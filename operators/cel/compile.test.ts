import { describe, expect, it } from 'vitest';
import { compileCel } from './compile.ts';

describe('smoke', () => {
  it('compiles', () => {
    for (const [s, k] of [
      ['f.a > 3 && tx.amountMinor > p.min', 0],
      ['f.a > p.min * 1.5 || tx.account == null', 0],
      ["tx.card == null || tx.card.bin in ['411111', '4222']", 0],
      ["tx.card.bin.startsWith('41') && size(tx.authMethods) == 0 && !('otp' in tx.authMethods)", 0],
      ['has(tx.attributes.x) && tx.attributes.x > 3', 0],
      ["tx.attributes.x == 'a'", 0],
      ["list('watch', tx.device)", 0],
      ["hour(tx.eventTimeMs, '+08:00') < 6 && dayOfWeek(tx.eventTimeMs) == 0", 0],
      ['tx.mcc in p.mccs', 0],
      ['(f.a > 1 ? 1 : 0) + max(f.b, 3) > 2', 0],
      ['m.score >= 700', 0],
      ['defined(f.a) && f.a % 2 == 0', 0],
      // bad
      ["tx.type == 'purchse'", 1],
      ['f.nope > 1', 1],
      ['tx.nope == 1', 1],
      ['tx.account > 3', 1],
      ["tx.account.matches('a+')", 1],
      ['f.a', 1],
      ['f.a >', 1],
      ['x > 1', 1],
      ["list('nope', tx.device)", 1],
      ['size(f.a) > 1', 1],
      ['int(f.a) > 1', 1],
      ["f.a > 'x'", 1],
      ['f == 1', 1],
      ["tx.authMethods.exists(a, a == 'x')", 1],
      ['('.repeat(60) + 'true' + ')'.repeat(60), 1],
      [Array(300).fill('f.a > 1').join('||'), 1],
      ['p.nope > 1', 1],
      ["hour(tx.eventTimeMs, 'Asia/Shanghai') > 1", 1],
      ['has(f.a)', 1],
      ['b"x" == b"y"', 1],
      ['1u == 2u', 1],
      ["f['a'] > 1", 1],
      ['{"a": 1} == {"a": 1}', 1],
      ['min() > 1', 1],
      ['"a" < "b"', 1],
      ['"a" + "b" == "c"', 1],
      ['has(tx.attributes) && true', 1],
    ] as const) {
      const r = compileCel(s, {
        kind: 'rule',
        features: ['a', 'b'],
        params: { min: 5, mccs: ['1'] },
        lists: ['watch'],
      });
      console.log(
        s.slice(0, 50),
        '=>',
        r.ok ? 'ok' : `${r.code} ${r.position} ${r.message}`,
        r.ok === (k === 0) ? '' : '#########',
      );
    }
    expect(1).toBe(1);
  });
});

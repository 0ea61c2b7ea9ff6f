import { floatLiteral } from '../sql/sqlText.ts';
import { paymentColumns } from '../cel/sql/paymentColumns.ts';
import { fnv1a } from './rollout.ts';

/**
 * isInRollout as SQL over the history's payments, whose columns `payment` goes before; null where every account is in. It hashes
 * UTF-16 code units as JavaScript does, which costs some 100 times a comparison: ask it only of rows that fired.
 */
export function rolloutSql(ruleId: string, rolloutPercent: number, payment: string): string | null {
  if (rolloutPercent >= 100) return null;
  const { account, transactionId } = paymentColumns;
  const columns = [account.column, paymentColumns['card.token'].column, transactionId.column];
  const text = `coalesce(${columns.map((column) => `${payment}${column}`).join(', ')})`;
  const hash =
    `arrayFold((hash, unit) -> toUInt32(bitAnd(bitXor(hash, unit) * 16777619, 4294967295)), ${codeUnitsSql(text)}, ` +
    `toUInt32(${fnv1a(`${ruleId}/`)}))`;
  return `(${spreadSql(hash)} < ${floatLiteral((rolloutPercent / 100) * 0x1_0000_0000)})`;
}

/** Array(UInt32) of the text's UTF-16 code units. */
function codeUnitsSql(text: string): string {
  const byte = (place: number): string => `toUInt32(reinterpretAsUInt8(substring(c, ${place}, 1)))`;
  const tail = (place: number, shift: number): string => `bitShiftLeft(bitAnd(${byte(place)}, 63), ${shift})`;
  const codePoint =
    `multiIf(length(c) = 1, ${byte(1)}, ` +
    `length(c) = 2, bitShiftLeft(bitAnd(${byte(1)}, 31), 6) + ${tail(2, 0)}, ` +
    `length(c) = 3, bitShiftLeft(bitAnd(${byte(1)}, 15), 12) + ${tail(2, 6)} + ${tail(3, 0)}, ` +
    `bitShiftLeft(bitAnd(${byte(1)}, 7), 18) + ${tail(2, 12)} + ${tail(3, 6)} + ${tail(4, 0)})`;
  const units =
    'if(p < 65536, [toUInt32(p)], [toUInt32(55296 + bitShiftRight(p - 65536, 10)), toUInt32(56320 + bitAnd(p - 65536, 1023))])';
  return `arrayFlatten(arrayMap(p -> ${units}, arrayMap(c -> ${codePoint}, extractAll(${text}, '(?s).'))))`;
}

/** MurmurHash3's finaliser, as rollout.ts has it. */
function spreadSql(hash: string): string {
  const mixed = (value: string, shift: number): string => `bitXor(${value}, bitShiftRight(${value}, ${shift}))`;
  const named = (value: string, body: string): string => `arrayMap(h -> ${body}, [${value}])[1]`;
  const times = (value: string, factor: number): string => `toUInt32(bitAnd(${value} * ${factor}, 4294967295))`;
  const first = named(hash, times(mixed('h', 16), 0x85ebca6b));
  const second = named(first, times(mixed('h', 13), 0xc2b2ae35));
  return named(second, mixed('h', 16));
}

import type { Transaction } from '../../schemas/types.ts';

/** FNV-1a, 32 bits, offset basis and prime (http://www.isthe.com/chongo/tech/comp/fnv/), over UTF-16 code units. */
const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** Hash of text, or of `seed`'s text followed by this one's. An unsigned 32-bit integer. */
export function fnv1a(text: string, seed: number = offsetBasis): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), prime);
  return hash >>> 0;
}

/**
 * Whether a payment is in the share of accounts for which a rule counts. `ruleSeed` is fnv1a(rule id + '/'), so that
 * rules choose their accounts independently. Sticky by account, by card where there is none, else by transaction;
 * a greater percentage only ever adds accounts.
 */
export function isInRollout(ruleSeed: number, rolloutPercent: number, tx: Transaction): boolean {
  if (rolloutPercent >= 100) return true;
  const hash = fnv1a(tx.account ?? tx.card?.token ?? tx.transactionId, ruleSeed);
  return spread(hash) < (rolloutPercent / 100) * 0x1_0000_0000;
}

/** MurmurHash3's 32-bit finaliser: FNV alone leaves ids that differ in their last letter close together. */
function spread(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

import type { DecisionStore, Ledger, SealRow } from '../ports.ts';
import { CHAIN_START, decodeSeal, encodeSeal, sealOf } from './seal.ts';

/**
 * Seals ledger records with their decisions, in the ledger's order and without a gap. A function of the ledger and its
 * decisions alone, and these follow from the ledger: every replica makes the same chain, and so does a replay.
 */
export class SealChain {
  #nextOffset: number;
  #before: string;

  /** `before`: the chain's hash at the record before `nextOffset`. */
  constructor(nextOffset: number, before: string = CHAIN_START) {
    this.#nextOffset = nextOffset;
    this.#before = before;
  }

  /** Offset of the next record to seal. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** The chain's hash so far. */
  get head(): string {
    return this.#before;
  }

  /** Records before `nextOffset` are passed over: they are sealed, or older than the chain. */
  add(ledgerOffset: number, record: Uint8Array, decision: Uint8Array | undefined): SealRow | null {
    if (ledgerOffset < this.#nextOffset) return null;
    if (ledgerOffset > this.#nextOffset)
      throw new Error(`the chain has a gap: expected offset ${this.#nextOffset}, got ${ledgerOffset}`);
    const seal = sealOf(this.#before, ledgerOffset, record, decision);
    this.#nextOffset = ledgerOffset + 1;
    this.#before = seal.chainSha256;
    return { ledgerOffset, value: encodeSeal(seal) };
  }
}

const READ_RECORDS = 1024;

/**
 * The chain as a run before left it, or a new one: from the end of a ledger that an older Sluice wrote, so that nothing is sealed
 * that was kept unsealed until now. Records before `toOffset` that are not sealed (their run ended before it could, and a
 * snapshot goes on behind them) are sealed first.
 */
export async function resumeChain(
  ledger: Pick<Ledger, 'read' | 'endOffset'>,
  decisions: Pick<DecisionStore, 'beginChain' | 'lastSeal' | 'read' | 'put'>,
  toOffset: number,
): Promise<SealChain> {
  const endOffset = ledger.endOffset();
  const begin = await decisions.beginChain(endOffset);
  const last = decisions.lastSeal();
  const seal = last === null ? null : decodeSeal(last.ledgerOffset, last.value);
  if (seal === undefined || (last !== null && last.ledgerOffset >= endOffset)) {
    const problem =
      seal === undefined ? 'is damaged' : `is of a record that the ledger, which ends at ${endOffset}, lacks`;
    throw new Error(
      `SLUICE_CHAIN_BROKEN: the newest seal, of offset ${last?.ledgerOffset ?? 0}, ${problem}. Ledger and decisions do not belong ` +
        'together any more: run sluice verify, and restore both from one backup',
    );
  }
  const chain = seal === null ? new SealChain(begin) : new SealChain(seal.ledgerOffset + 1, seal.chainSha256);
  while (chain.nextOffset < toOffset) {
    const from = chain.nextOffset;
    const rows = await ledger.read(from, Math.min(READ_RECORDS, toOffset - from));
    const decided = new Map(
      (await decisions.read(from, from + rows.length)).map((row) => [row.ledgerOffset, row.value]),
    );
    await decisions.put([], sealRows(chain, rows, decided));
  }
  return chain;
}

/** Seals of those records that have none yet. */
export function sealRows(
  chain: SealChain,
  rows: readonly { readonly offset: number; readonly value: Uint8Array }[],
  decided: ReadonlyMap<number, Uint8Array>,
): SealRow[] {
  const seals: SealRow[] = [];
  for (const { offset, value } of rows) {
    const seal = chain.add(offset, value, decided.get(offset));
    if (seal !== null) seals.push(seal);
  }
  return seals;
}

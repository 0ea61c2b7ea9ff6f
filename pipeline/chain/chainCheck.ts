import { hash } from 'node:crypto';
import { CHAIN_START, chainHash, decodeSeal } from './seal.ts';

/** What a check finds out about one sealed record. */
export interface SealVerdict {
  readonly record: 'sealed' | 'changed' | 'missing';
  readonly decision: 'sealed' | 'changed' | 'missing' | 'added';
  /** Null: the seal is what it was. */
  readonly seal: { readonly kind: 'changed' | 'missing'; readonly detail: string } | null;
}

/**
 * Follows the chain over stored seals. It tells a record that was changed from a seal that was: a record's seal agrees with
 * the seals around it, a seal that was changed does not.
 */
export class ChainCheck {
  /** Hashes that the next seal may go on from: as stored, and as computed where the two differ. */
  #before: readonly string[];
  #isFirst = true;
  #head: string;

  /** `before`: the chain's hash before the first record that is checked. */
  constructor(before: string = CHAIN_START) {
    this.#before = [before];
    this.#head = before;
  }

  /** The chain's hash at the newest seal that was looked at. */
  get head(): string {
    return this.#head;
  }

  check(
    ledgerOffset: number,
    record: Uint8Array | undefined,
    decision: Uint8Array | undefined,
    stored: Buffer | undefined,
  ): SealVerdict {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const recordSha256 = record === undefined ? '' : hash('sha256', record);
    const decisionSha256 = decision === undefined ? '' : hash('sha256', decision);
    const seal = stored === undefined ? undefined : decodeSeal(ledgerOffset, stored);
    if (seal === undefined) {
      // What it said can be computed again, if nothing else was changed here.
      this.#before = this.#before.map((before) => chainHash(before, ledgerOffset, recordSha256, decisionSha256));
      const isMissing = stored === undefined;
      return {
        record: record === undefined ? 'missing' : 'sealed',
        decision: 'sealed',
        seal: isMissing ? { kind: 'missing', detail: '' } : { kind: 'changed', detail: 'its length' },
      };
    }
    const follows = (record_: string, decision_: string): boolean =>
      this.#before.some((before) => chainHash(before, ledgerOffset, record_, decision_) === seal.chainSha256);
    const isSound = follows(seal.recordSha256, seal.decisionSha256);
    const isOfContent = !isSound && follows(recordSha256, decisionSha256);
    this.#head = seal.chainSha256;
    const computed = (record_: string, decision_: string): readonly string[] =>
      this.#before.map((before) => chainHash(before, ledgerOffset, record_, decision_));
    this.#before =
      isSound || isOfContent
        ? [seal.chainSha256]
        : [
            seal.chainSha256,
            ...computed(recordSha256, decisionSha256),
            ...computed(seal.recordSha256, seal.decisionSha256),
          ].slice(0, MAX_CANDIDATES);
    return {
      record:
        record === undefined ? 'missing' : isOfContent || recordSha256 === seal.recordSha256 ? 'sealed' : 'changed',
      decision: isOfContent ? 'sealed' : compared(decisionSha256, seal.decisionSha256),
      seal: isSound ? null : { kind: 'changed', detail: isOfContent ? CONTENT_HASH : isFirst ? NO_BEGIN : CHAIN_HASH },
    };
  }
}

/** A run of seals that were all rewritten must not make the check slower and slower. */
const MAX_CANDIDATES = 4;
const CONTENT_HASH = 'the hash of its record or decision';
const CHAIN_HASH = 'its chain hash does not follow from the seal before';
const NO_BEGIN = 'the chain does not begin here: seals before it were removed, or it was rewritten';

function compared(found: string, sealed: string): SealVerdict['decision'] {
  if (found === sealed) return 'sealed';
  if (found === '') return 'missing';
  return sealed === '' ? 'added' : 'changed';
}

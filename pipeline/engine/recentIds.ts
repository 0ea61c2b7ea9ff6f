import type { SavedState, StateInput, StateOutput } from '../../operators/savedState.ts';
import { PagedIntegers } from '../../operators/tables/pagedIntegers.ts';
import { TextIndex } from '../../operators/tables/textIndex.ts';
import type { Decision, DecisionMode, Verdict } from '../../schemas/types.ts';

/** The part of a decision that a repeated payment is told again. */
export type Answer = Pick<Decision, 'verdict' | 'score' | 'mode'>;

const VERDICTS: readonly Verdict[] = ['approve', 'challenge', 'review', 'decline'];
const MODES: readonly DecisionMode[] = ['full', 'noModel', 'rulesOnly', 'fallback'];

/** A record's words: slot + 1 of the next newer id, ledger offset (low, high), content hash. */
const RECORD_WORDS = 7;
const NEWER = 0;
const OFFSET = 1;
const HASH = 3;
const HASH_WORDS = 4;
const TWO_TO_32 = 4_294_967_296;

/**
 * The transaction ids of the last `capacity` payments, each with the first payment that had it and what was decided on it:
 * some 100 bytes an id in typed arrays, of which the collector sees nothing. What is remembered is a function of the
 * ledger alone. Ids are named by slots, valid until the next `add`.
 */
export class RecentIds implements SavedState {
  #capacity: number;
  readonly #slots = new TextIndex();
  readonly #records = new PagedIntegers();
  /** By slot; 0: none. */
  readonly #answers = new PagedIntegers();
  readonly #hash = new Int32Array(HASH_WORDS);
  #slotCount = 0;
  /** Slot + 1 of the last freed one, linked by NEWER; 0 for none. The same for the oldest and the newest id. */
  #free = 0;
  #oldest = 0;
  #newest = 0;
  #refused = 0;

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Ids that were not remembered, as `add` says. */
  get refused(): number {
    return this.#refused;
  }

  get byteLength(): number {
    return this.#slots.byteLength + this.#records.byteLength + this.#answers.byteLength;
  }

  /** What is too many for a smaller capacity goes with the next payments, two ids with each. */
  resize(capacity: number): void {
    this.#capacity = Math.max(1, capacity);
  }

  /** The id's slot, -1 if it is not remembered. */
  find(transactionId: string): number {
    return this.#slots.find(transactionId);
  }

  /**
   * Remembers an id that is not there yet, without an answer. `contentHash` has 32 hexadecimal digits. An id that finds no
   * room in the index (MAX_TEXTS_PER_HASH: ids made to be alike) is counted and not remembered; ingest still knows its decision.
   */
  add(transactionId: string, ledgerOffset: number, contentHash: string): void {
    parseHash(contentHash, this.#hash);
    for (let dropped = 0; dropped < 2 && this.size >= this.#capacity; dropped++) this.#dropOldest();
    if (this.#slots.find(transactionId) >= 0) throw new Error('SLUICE_ENGINE_ID: the id is remembered already');
    const slot = this.#allocate();
    if (!this.#slots.add(slot)) {
      this.#release(slot);
      this.#refused += 1;
      return;
    }
    this.#set(slot, NEWER, 0);
    this.#set(slot, OFFSET, ledgerOffset | 0);
    this.#set(slot, OFFSET + 1, Math.floor(ledgerOffset / TWO_TO_32));
    for (let word = 0; word < HASH_WORDS; word++) this.#set(slot, HASH + word, this.#hash[word]!);
    this.#answers.set(slot, 0);
    if (this.#newest === 0) this.#oldest = slot + 1;
    else this.#set(this.#newest - 1, NEWER, slot + 1);
    this.#newest = slot + 1;
  }

  /** Offset of the first payment with the id. */
  ledgerOffset(slot: number): number {
    return this.#get(slot, OFFSET + 1) * TWO_TO_32 + (this.#get(slot, OFFSET) >>> 0);
  }

  /** Whether the first payment with the id had this content. */
  hasContent(slot: number, contentHash: string): boolean {
    parseHash(contentHash, this.#hash);
    for (let word = 0; word < HASH_WORDS; word++) if (this.#get(slot, HASH + word) !== this.#hash[word]) return false;
    return true;
  }

  /** Null until the payment is decided, and after a restart. */
  answer(slot: number): Answer | null {
    const answer = this.#answers.get(slot) - 1;
    if (answer < 0) return null;
    return { score: answer >>> 4, verdict: VERDICTS[(answer >>> 2) & 3]!, mode: MODES[answer & 3]! };
  }

  setAnswer(slot: number, { verdict, score, mode }: Answer): void {
    this.#answers.set(slot, 1 + score * 16 + VERDICTS.indexOf(verdict) * 4 + MODES.indexOf(mode));
  }

  /** Without the answers: those are stored with the decisions. */
  save(output: StateOutput): void {
    output.number(this.#capacity);
    output.number(this.#slotCount);
    output.number(this.#free);
    output.number(this.#oldest);
    output.number(this.#newest);
    output.number(this.#refused);
    this.#slots.save(output);
    this.#records.save(output);
  }

  load(input: StateInput): void {
    this.#capacity = input.number();
    this.#slotCount = input.number();
    this.#free = input.number();
    this.#oldest = input.number();
    this.#newest = input.number();
    this.#refused = input.number();
    this.#slots.load(input);
    this.#records.load(input);
    this.#answers.clear();
  }

  #dropOldest(): void {
    const slot = this.#oldest - 1;
    this.#oldest = this.#get(slot, NEWER);
    if (this.#oldest === 0) this.#newest = 0;
    this.#slots.remove(slot);
    this.#release(slot);
  }

  #allocate(): number {
    if (this.#free === 0) return this.#slotCount++;
    const slot = this.#free - 1;
    this.#free = this.#get(slot, NEWER);
    return slot;
  }

  #release(slot: number): void {
    this.#set(slot, NEWER, this.#free);
    this.#free = slot + 1;
  }

  #get(slot: number, word: number): number {
    return this.#records.get(slot * RECORD_WORDS + word);
  }

  #set(slot: number, word: number, value: number): void {
    this.#records.set(slot * RECORD_WORDS + word, value);
  }
}

function parseHash(contentHash: string, words: Int32Array): void {
  for (let word = 0, index = 0; word < HASH_WORDS; word++) {
    let value = 0;
    for (let digit = 0; digit < 8; digit++) value = (value << 4) | hexadecimal(contentHash.charCodeAt(index++));
    words[word] = value;
  }
  if (contentHash.length !== 8 * HASH_WORDS) throw new Error('SLUICE_ENGINE_HASH: a content hash has 32 digits');
}

/** Value of a lower-case hexadecimal digit. */
function hexadecimal(unit: number): number {
  return unit <= 57 ? unit - 48 : unit - 87;
}

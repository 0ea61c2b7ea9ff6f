import type { Transaction } from '../../schemas/types.ts';
import { AMOUNT } from './eventNumbers.ts';
import { numberReader } from './numberField.ts';

/** Words that an event keeps for each of its numbers. */
export const WORDS_PER_DOUBLE = 2;

/** In the place of a number: the amount, which every event has apart from its words; or none. */
export const AMOUNT_ITSELF = -1;
export const NO_NUMBER = -2;

/** Both words of a number that an event lacks: NaN, with bits that are the same on every machine. */
const ABSENT = 0x7ff80000;

/** Numbers of events, such as coordinates, kept beside their key slots: each a double in two words. */
export class EventDoubles {
  /** The current payment's, NaN for what it lacks. */
  readonly current: Float64Array;
  /** The two that were taken last from an event's words. */
  readonly taken = new Float64Array(2);
  readonly #readers: readonly ((tx: Transaction) => number)[];
  readonly #takenWords = new Int32Array(this.taken.buffer);
  readonly #currentWords: Int32Array;

  constructor(fields: readonly string[]) {
    this.#readers = fields.map(numberReader);
    this.current = new Float64Array(fields.length);
    this.#currentWords = new Int32Array(this.current.buffer);
  }

  read(tx: Transaction): void {
    for (let index = 0; index < this.#readers.length; index++) this.current[index] = this.#readers[index]!(tx);
  }

  /** Writes the current payment's into its event's words. */
  writeCurrent(words: Int32Array, at: number): void {
    for (let index = 0; index < this.current.length; index++) {
      const isAbsent = Number.isNaN(this.current[index]);
      for (let word = WORDS_PER_DOUBLE * index; word < WORDS_PER_DOUBLE * (index + 1); word++)
        words[at + word] = isAbsent ? ABSENT : this.#currentWords[word]!;
    }
  }

  /**
   * Takes a number of the event whose numbers' words start at `at` into taken[place], and says whether the event has it.
   * A double that a function returns would cost an allocation.
   */
  take(place: number, number: number, words: Int32Array, at: number, event: Float64Array): boolean {
    if (number === AMOUNT_ITSELF) {
      this.taken[place] = event[AMOUNT]!;
      return true;
    }
    const from = at + WORDS_PER_DOUBLE * number;
    this.#takenWords[WORDS_PER_DOUBLE * place] = words[from]!;
    this.#takenWords[WORDS_PER_DOUBLE * place + 1] = words[from + 1]!;
    return !Number.isNaN(this.taken[place]);
  }
}

import type { SavedState, StateInput, StateOutput } from '../savedState.ts';
import { PagedIntegers } from '../tables/pagedIntegers.ts';
import { TextIndex } from '../tables/textIndex.ts';

/** Who put entries on a list, and why: kept once, however many entries share it. */
export interface EntryNote {
  readonly author: string;
  readonly reason: string;
}

/** Notes by number, each as long as some entry refers to it. */
export class EntryNotes implements SavedState {
  readonly #texts = new TextIndex();
  /** By note: entries that refer to it; of a free note the free one before it + 1. */
  readonly #uses = new PagedIntegers();
  #made = 0;
  /** The note freed last, + 1. */
  #free = 0;

  get size(): number {
    return this.#texts.size;
  }

  get byteLength(): number {
    return this.#texts.byteLength + this.#uses.byteLength;
  }

  /** The number of a note for one more entry; -1: there is no room (MAX_TEXTS_PER_HASH). */
  use({ author, reason }: EntryNote): number {
    const known = this.#texts.find(noteText(author, reason));
    if (known >= 0) {
      this.#uses.set(known, this.#uses.get(known) + 1);
      return known;
    }
    const note = this.#free === 0 ? this.#made : this.#free - 1;
    if (!this.#texts.add(note)) return -1;
    if (this.#free === 0) this.#made += 1;
    else this.#free = this.#uses.get(note);
    this.#uses.set(note, 1);
    return note;
  }

  /** An entry refers to the note no more. */
  release(note: number): void {
    const uses = this.#uses.get(note) - 1;
    this.#uses.set(note, uses);
    if (uses > 0) return;
    this.#texts.remove(note);
    this.#uses.set(note, this.#free);
    this.#free = note + 1;
  }

  get(note: number): EntryNote {
    const text = this.#texts.textOf(note) ?? '0 ';
    const space = text.indexOf(' ');
    const end = space + 1 + Number(text.slice(0, space));
    return { author: text.slice(space + 1, end), reason: text.slice(end) };
  }

  save(output: StateOutput): void {
    output.number(this.#made);
    output.number(this.#free);
    this.#texts.save(output);
    this.#uses.save(output);
  }

  load(input: StateInput): void {
    this.#made = input.number();
    this.#free = input.number();
    this.#texts.load(input);
    this.#uses.load(input);
  }
}

/** One text for both: the author's length, a space, the author, the reason. */
function noteText(author: string, reason: string): string {
  return `${author.length} ${author}${reason}`;
}

import { powerOfTwoFrom } from '../tables/powerOfTwo.ts';

/** Doubles of a cache line. */
export const LINE_DOUBLES = 8;
/** A row's first double is the number of events held. */
const FIRST_FIELD = 1;

/**
 * Where a key's row has its fields. An event that leaves a window changes that window's fields alone, so they lie together,
 * in one cache line if they fit; what no leaving event changes lies with the number of events at the row's beginning.
 */
export class RowLayout {
  /** By age at which events leave the window, or null: its fields in order. */
  readonly #groups = new Map<number | null, { readonly field: number; readonly doubles: number }[]>([[null, []]]);
  #next = FIRST_FIELD;

  /** A field's number, other than 0, until `arrange` says where it lies. */
  add(doubles: number, leaveAgeMs: number | null): number {
    const field = this.#next;
    this.#next += doubles;
    const group = this.#groups.get(leaveAgeMs) ?? [];
    group.push({ field, doubles });
    this.#groups.set(leaveAgeMs, group);
    return field;
  }

  /** The row's length in doubles, and the position of each field by its number; 0, which is no field, stays 0. */
  arrange(): { readonly rowLength: number; readonly positions: ReadonlyMap<number, number> } {
    const positions = new Map([[0, 0]]);
    let at = FIRST_FIELD;
    const ages = [...this.#groups.keys()].sort((a, b) => (a ?? -1) - (b ?? -1));
    for (const age of ages) {
      const group = this.#groups.get(age) ?? [];
      const length = group.reduce((sum, { doubles }) => sum + doubles, 0);
      if (linesOf((at % LINE_DOUBLES) + length) > linesOf(length)) at = linesOf(at) * LINE_DOUBLES;
      for (const { field, doubles } of group) {
        positions.set(field, at);
        at += doubles;
      }
    }
    return { rowLength: paddedLength(at), positions };
  }
}

/** Rows begin at a cache line, or several share one. */
function paddedLength(doubles: number): number {
  return doubles < LINE_DOUBLES ? powerOfTwoFrom(doubles) : linesOf(doubles) * LINE_DOUBLES;
}

function linesOf(doubles: number): number {
  return Math.ceil(doubles / LINE_DOUBLES);
}

/**
 * A row of features for a decision's record. NaN has many bit patterns, and which one 0/0 gives depends on whether V8 has
 * optimised the code yet (fff8 interpreted, 7ff8 compiled: Node 20, 22 and 24 alike). The record's bytes may not, so every NaN
 * becomes the same one. A loop takes a tenth of the time of Array.from, which goes through an iterator.
 */
export function copyFeatures(values: Float64Array, from: number, length: number): number[] {
  const copy = new Array<number>(length);
  for (let index = 0; index < length; index++) {
    const value = values[from + index] ?? Number.NaN;
    copy[index] = Number.isNaN(value) ? Number.NaN : value;
  }
  return copy;
}

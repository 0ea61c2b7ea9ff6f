/** The one of `names` that was probably meant by `written`; undefined when none is near. */
export function closestName(written: string, names: readonly string[]): string | undefined {
  const best = names
    .map((name) => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const tolerance = Math.max(1, Math.floor(written.length / 3));
  return best !== undefined && best.distance <= tolerance ? best.name : undefined;
}

/** Optimal string alignment: letters added, lost, changed, or two neighbours swapped, each for one. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (last[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const isSwap = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      const swapped = isSwap ? (beforeLast[j - 1] ?? 0) + 1 : Infinity;
      row.push(Math.min(changed, swapped, (last[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

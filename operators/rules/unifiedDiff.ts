export interface NamedLines {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Beyond so many lines on both sides together the two are told whole: nobody reads such a diff line by line. */
const MAX_COMPARED_LINES = 2_000;

/** A unified diff with all lines as context, as texts this short want it; empty where the two are equal. */
export function unifiedDiff(before: NamedLines, after: NamedLines): string {
  const lines = diffLines(before.lines, after.lines);
  if (lines.every((line) => line.startsWith(' '))) return '';
  const range = ({ lines: { length } }: NamedLines): string => `${Math.min(1, length)},${length}`;
  const head = [`--- ${before.name}`, `+++ ${after.name}`, `@@ -${range(before)} +${range(after)} @@`];
  return `${[...head, ...lines].join('\n')}\n`;
}

/** Each line with `-`, `+` or a space before it, by a longest common subsequence. */
function diffLines(before: readonly string[], after: readonly string[]): string[] {
  if (before.length + after.length > MAX_COMPARED_LINES)
    return [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)];
  // common[i * width + j]: length of the longest common subsequence of before from i and after from j.
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push(` ${before[i] ?? ''}`);
      i += 1;
      j += 1;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`-${before[i] ?? ''}`);
      i += 1;
    } else {
      lines.push(`+${after[j] ?? ''}`);
      j += 1;
    }
  }
  return lines;
}

/** The least power of two that is not less than this. Math.log2 is not for this: its last bits differ between Node versions. */
export function powerOfTwoFrom(least: number): number {
  let power = 1;
  while (power < least) power *= 2;
  return power;
}

export interface Quadrature {
  /** In (0, 1), rising. */
  readonly points: Float64Array;
  /** They add up to 1. */
  readonly weights: Float64Array;
}

/** Halvings of an interval below 2, after which its ends are neighbouring doubles. */
const HALVINGS = 60;

/**
 * Gauss-Legendre quadrature on [0, 1]: exact for polynomials of degree 2 count - 1. The roots of each Legendre polynomial lie
 * between those of the one before (Szego, *Orthogonal Polynomials*, 3.3), so they are bisected: by + - * / alone, and so with the
 * same bits everywhere.
 */
export function gaussLegendre(count: number): Quadrature {
  let roots: number[] = [];
  for (let degree = 1; degree <= count; degree++) {
    const bounds = [-1, ...roots, 1];
    roots = Array.from({ length: degree }, (_, index) => bisect(degree, bounds[index] ?? -1, bounds[index + 1] ?? 1));
  }
  const points = Float64Array.from(roots, (root) => (1 + root) / 2);
  const weights = Float64Array.from(roots, (root) => {
    const slope = (count * (legendre(count - 1, root) - root * legendre(count, root))) / (1 - root * root);
    return 1 / ((1 - root * root) * slope * slope);
  });
  return { points, weights };
}

function bisect(degree: number, from: number, to: number): number {
  let [low, high] = [from, to];
  const lowIsNegative = legendre(degree, low) < 0;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (legendre(degree, middle) < 0 === lowIsNegative) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Bonnet's recursion. */
function legendre(degree: number, at: number): number {
  let [before, value] = [0, 1];
  for (let step = 0; step < degree; step++) {
    [before, value] = [value, ((2 * step + 1) * at * value - step * before) / (step + 1)];
  }
  return value;
}

import { ModelError, type Scorer } from './scorer.ts';

const ROWS = 64;
/** Sizes that leave remainders, beside one row alone. */
const BATCHES = [1, 2, 7, 33] as const;

/**
 * Proves of a loaded model what decisions rest on: a probability for every row, defined or not, and the same bytes whatever
 * other rows are scored with it. Throws ModelError. Takes some milliseconds.
 */
export async function proveScoreBytes(scorer: Scorer): Promise<void> {
  const { id, version, inputs, output } = scorer.metadata;
  const width = inputs.length;
  const features = sampleRows(width);
  const whole = (await scorer.probabilities(features, ROWS)).slice();
  const row = whole.findIndex((probability) => !(probability >= 0 && probability <= 1));
  if (row >= 0) {
    const value = whole[row] ?? NaN;
    throw new ModelError(
      'SLUICE_MODEL_SHAPE',
      Number.isNaN(value)
        ? `${id}@${version} gives no number for a row with undefined features (NaN): put an imputer before it`
        : `output '${output}' gave ${String(value)}, which is no probability`,
    );
  }
  for (const batch of BATCHES) {
    for (let first = 0; first < ROWS; first += batch) {
      const count = Math.min(batch, ROWS - first);
      const part = await scorer.probabilities(features.subarray(first * width), count);
      for (let index = 0; index < count; index++) {
        if (Object.is(part[index], whole[first + index])) continue;
        throw new ModelError(
          'SLUICE_MODEL_UNSTABLE',
          `${id}@${version} scores a row as ${String(whole[first + index])} among ${ROWS} and ${String(part[index])} among ${count}`,
        );
      }
    }
  }
}

/** Magnitudes from shares to amounts, zeros and undefined values; the same at every call. */
function sampleRows(width: number): Float32Array {
  const rows = new Float32Array(ROWS * width);
  let state = 1;
  for (let index = 0; index < rows.length; index++) {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const share = state / 0x1_0000_0000;
    const kind = (state >>> 8) % 8;
    if (kind === 0) rows[index] = NaN;
    else if (kind === 1) rows[index] = 0;
    else if (kind < 4) rows[index] = share;
    else if (kind < 7) rows[index] = Math.floor(share * 40);
    else rows[index] = Math.floor(share * 5_000_000);
  }
  // A payment with nothing known yet.
  rows.fill(NaN, 0, width);
  return rows;
}

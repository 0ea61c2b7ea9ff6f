import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { featuresToSql } from '../../operators/features/sql/featuresToSql.ts';
import { FEATURE_PREFIX, HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { FeatureSkew } from '../../pipeline/featureSkew.ts';

/** Payments computed in one query: it bounds the memory that ClickHouse needs, and the length of the query. */
const PAYMENTS_PER_QUERY = 1_000;

/** Gives the rows of a query as arrays of numbers, NaN and infinite ones too. */
export type NumberRows = (query: string) => Promise<readonly (readonly number[])[]>;

const IS_WRITTEN = `ledger_offset < (SELECT max(to_offset) FROM ${HISTORY_DATABASE}.history_batches WHERE step = 'written')`;

/** Offsets of the newest payments that history has whole. */
export function newestPaymentsQuery(count: number): string {
  return (
    `SELECT ledger_offset FROM ${HISTORY_DATABASE}.decisions\n    WHERE ${IS_WRITTEN}\n` +
    `    ORDER BY ledger_offset DESC LIMIT ${count}`
  );
}

/** Offsets of at most `count` payments decided under the catalogue, the same ones each time that nothing was added. */
export function sampleQuery(catalogue: CompiledCatalogue, count: number): string {
  return `SELECT ledger_offset FROM ${HISTORY_DATABASE}.decisions
WHERE catalogue_sha256 = ${quoteText(catalogue.sha256)}
  AND ${IS_WRITTEN}
ORDER BY cityHash64(ledger_offset) LIMIT ${count}`;
}

/** Computes the features of these payments again and compares them with what their decisions recorded. */
export async function compareWithHistory(
  catalogue: CompiledCatalogue,
  offsets: readonly number[],
  rows: NumberRows,
  show: (done: number) => void,
): Promise<FeatureSkew> {
  const { names } = catalogue;
  const skew = new FeatureSkew(catalogue);
  const sorted = [...offsets].sort((a, b) => a - b);
  const columns = names.map((name) => FEATURE_PREFIX + name).join(', ');
  for (let first = 0; first < sorted.length; first += PAYMENTS_PER_QUERY) {
    const part = sorted.slice(first, first + PAYMENTS_PER_QUERY);
    const recorded = await rows(
      `SELECT ledger_offset, ${columns} FROM ${HISTORY_DATABASE}.decisions ` +
        `WHERE ledger_offset IN (${part.join(', ')}) ORDER BY ledger_offset`,
    );
    const computed = await rows(featuresToSql(catalogue, names, part.join(', ')));
    for (const [index, offset] of part.entries()) {
      const [recordedOffset, ...recordedValues] = recorded[index] ?? [];
      const [computedOffset, ...computedValues] = computed[index] ?? [];
      if (recordedOffset !== offset || computedOffset !== offset)
        throw new Error(`SLUICE_SKEW_ROW: history has no payment at ledger offset ${offset}`);
      skew.add(offset, recordedValues, computedValues);
    }
    show(first + part.length);
  }
  return skew;
}

/** A number as ClickHouse writes it in JSON with quoted denormals. */
export function readNumber(value: unknown): number {
  switch (value) {
    case 'nan':
    case '-nan':
      return Number.NaN;
    case 'inf':
      return Infinity;
    case '-inf':
      return -Infinity;
    default:
      return Number(value);
  }
}

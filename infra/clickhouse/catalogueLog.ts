import type { ClickHouseClient } from '@clickhouse/client';
import type { FeatureColumns } from '../../pipeline/ports.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { HISTORY_DATABASE } from './historyTable.ts';

const NAME = 'catalogues';
const TABLE = `${HISTORY_DATABASE}.${NAME}`;

/** Every feature catalogue that decided, so that a writer which starts in the middle of the ledger knows them all. */
export class CatalogueLog {
  readonly name = NAME;
  readonly #client: ClickHouseClient;

  constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  createStatement(): string {
    return (
      `CREATE TABLE IF NOT EXISTS ${TABLE} (\n` +
      `  catalogue_sha256 String COMMENT 'Hash of the feature catalogue, as in decisions.',\n` +
      `  position Int32 COMMENT 'Place of the feature in the catalogue, from 0.',\n` +
      `  feature String COMMENT 'Name of the feature; its column in decisions is f_ and this name.'\n` +
      `) ENGINE = ReplacingMergeTree ORDER BY (catalogue_sha256, position)\nSETTINGS fsync_after_insert = 1\n` +
      `COMMENT ${quoteText('The feature catalogues that decided, one row per feature.')}`
    );
  }

  async all(): Promise<readonly FeatureColumns[]> {
    const result = await this.#client.query({
      query: `SELECT catalogue_sha256, arraySort(x -> x.1, groupUniqArray((position, feature))).2 AS names FROM ${TABLE} GROUP BY catalogue_sha256`,
      format: 'JSONEachRow',
    });
    const rows = await result.json<{ catalogue_sha256: string; names: string[] }>();
    return rows.map((row) => ({ catalogueSha256: row.catalogue_sha256, names: row.names }));
  }

  /** One insert, one part: a catalogue is known whole or not at all. */
  async put(columns: FeatureColumns): Promise<void> {
    await this.#client.insert({
      table: TABLE,
      values: columns.names.map((feature, position) => ({
        catalogue_sha256: columns.catalogueSha256,
        position,
        feature,
      })),
      format: 'JSONEachRow',
    });
  }
}

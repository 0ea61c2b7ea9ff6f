import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';
import { z } from 'zod';
import type { HistoryRows } from '../../pipeline/backtest/historyFacts.ts';

/** Hundreds of rules make a query of megabytes; ClickHouse's own bounds are for queries that people write. */
export const BACKTEST_QUERY_SETTINGS: ClickHouseSettings = {
  max_query_size: '16000000',
  max_ast_elements: '4000000',
  max_expanded_ast_elements: '8000000',
  output_format_json_quote_64bit_integers: 0,
};

const rowShape = z.record(z.string(), z.unknown());

/** Asks a backtest's queries of this client's history. */
export function backtestRows(client: ClickHouseClient, signal?: AbortSignal): HistoryRows {
  return async (query) => {
    const result = await client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: BACKTEST_QUERY_SETTINGS,
      ...(signal === undefined ? {} : { abort_signal: signal }),
    });
    const rows = await result.json();
    return rows.map((row) => rowShape.parse(row));
  };
}

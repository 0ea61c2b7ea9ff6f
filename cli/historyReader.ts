import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import { backtestRows } from '../infra/clickhouse/backtestRows.ts';
import { readNumber } from '../infra/clickhouse/skewQuery.ts';
import type { HistoryRows } from '../pipeline/backtest/historyFacts.ts';

/** A question over a long history takes minutes on a busy machine; Ctrl-C ends it. */
const REQUEST_TIMEOUT_MS = 600_000;

/** Queries against the history, for commands. */
export class HistoryReader {
  readonly #client: ClickHouseClient;

  constructor(server: { readonly url: string; readonly username: string; readonly password: string }) {
    this.#client = createClient({
      ...server,
      request_timeout: REQUEST_TIMEOUT_MS,
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  async rows(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return result.json<Record<string, unknown>>();
  }

  /** As a backtest asks. */
  backtestRows(signal?: AbortSignal): HistoryRows {
    return backtestRows(this.#client, signal);
  }

  /** Rows of numbers, NaN and infinite ones too. */
  async numberRows(query: string): Promise<readonly (readonly number[])[]> {
    const result = await this.#client.query({
      query,
      format: 'JSONCompactEachRow',
      clickhouse_settings: { output_format_json_quote_denormals: 1 },
    });
    const rows = await result.json<unknown[]>();
    return rows.map((row) => row.map(readNumber));
  }

  /** The result as text in one of ClickHouse's formats, as it comes. */
  async stream(query: string, format: string, write: (chunk: Uint8Array) => void): Promise<void> {
    const result = await this.#client.exec({ query: `${query}\nFORMAT ${format}` });
    for await (const chunk of result.stream) {
      if (chunk instanceof Uint8Array) write(chunk);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

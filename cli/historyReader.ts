import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { readNumber } from '../infra/clickhouse/skewQuery.ts';

/** Queries against the history, for commands. */
export class HistoryReader {
  readonly #client: ClickHouseClient;

  constructor(server: { readonly url: string; readonly username: string; readonly password: string }) {
    this.#client = createClient({ url: server.url, username: server.username, password: server.password });
  }

  async rows(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return result.json<Record<string, unknown>>();
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

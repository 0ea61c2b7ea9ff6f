import { createClient, type ClickHouseClient } from '@clickhouse/client';

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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import type { ClickHouseClient } from '@clickhouse/client';
import { startEmbeddedClickHouse } from '../embedded/index.ts';
import type { EmbeddedClickHouse } from '../embedded/index.ts';
import { HISTORY_DATABASE } from '../historyTable.ts';

/** A real engine on an empty folder, and a client of it, for tests. */
export class TestEngine {
  readonly clickHouse: EmbeddedClickHouse;
  readonly client: ClickHouseClient;
  readonly #folder: string;

  private constructor(clickHouse: EmbeddedClickHouse, folder: string) {
    this.clickHouse = clickHouse;
    this.#folder = folder;
    this.client = createClient({
      url: clickHouse.url,
      clickhouse_settings: { output_format_json_quote_64bit_integers: 0, output_format_json_quote_denormals: 1 },
    });
  }

  static async start(): Promise<TestEngine> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-history-'));
    const silent = (): void => undefined;
    const clickHouse = await startEmbeddedClickHouse({
      dataDir: folder,
      port: 0,
      users: [{ name: 'default', password: '', role: 'writer' }],
      logger: { info: silent, warn: silent, error: silent },
    });
    return new TestEngine(clickHouse, folder);
  }

  async empty(): Promise<void> {
    await this.client.command({ query: `DROP DATABASE IF EXISTS ${HISTORY_DATABASE} SYNC` });
  }

  async command(query: string): Promise<void> {
    await this.client.command({ query });
  }

  async rows(query: string): Promise<Record<string, unknown>[]> {
    const result = await this.client.query({ query, format: 'JSONEachRow' });
    return result.json<Record<string, unknown>>();
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.clickHouse.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  startEmbeddedClickHouse,
  type EmbeddedClickHouse,
  type EmbeddedClickHouseOptions,
  type EmbeddedClickHouseUser,
} from '../index.ts';

export const writer = { name: 'sluice', password: "w'r\\ite: p", role: 'writer' } satisfies EmbeddedClickHouseUser;
export const analyst = { name: 'analyst', password: 'read', role: 'analyst' } satisfies EmbeddedClickHouseUser;

export interface StartedClickHouse {
  readonly server: EmbeddedClickHouse;
  readonly dataDir: string;
  /** A client of @clickhouse/client; closed with the server. */
  client(user?: EmbeddedClickHouseUser): ClickHouseClient;
  /** A plain request as the writer. */
  post(path: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The engine in its child process on a new data folder and any free port. */
export async function startedClickHouse(options: Partial<EmbeddedClickHouseOptions> = {}): Promise<StartedClickHouse> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sluice-clickhouse-'));
  const server = await startEmbeddedClickHouse({
    dataDir,
    port: 0,
    users: [writer, analyst],
    logger: silent,
    ...options,
  });
  const clients: ClickHouseClient[] = [];
  return {
    server,
    dataDir,
    client: (user = writer) => {
      const client = createClient({
        url: server.url,
        username: user.name,
        password: user.password,
        log: { level: 127 },
      });
      clients.push(client);
      return client;
    },
    post: async (path, body = '', headers = {}) =>
      fetch(server.url + path, { method: 'POST', body, headers: { ...authorization(writer), ...headers } }),
    stop: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await server.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function authorization(user: EmbeddedClickHouseUser): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` };
}

/** A table with deduplication of inserts. */
export async function createTable(
  client: ClickHouseClient,
  name: string,
  columns = 'a Int64, s String',
): Promise<void> {
  await client.command({
    query: `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100`,
  });
}

/** How many queries with this text in them run now. */
export async function runningQueries(client: ClickHouseClient, part: string): Promise<number> {
  const result = await client.query({
    query: 'SELECT query FROM system.processes',
    format: 'JSONEachRow',
  });
  const queries = await result.json<{ query: string }>();
  return queries.filter(({ query }) => query.includes(part)).length;
}

/** Resolves when the condition holds; a test that waits in vain runs into its timeout. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

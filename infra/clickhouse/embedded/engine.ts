import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { toException } from './exception.ts';
import { platformPackage, unsupportedPlatform } from './platform.ts';

/** A result as the engine hands it over. `elapsed` in seconds. */
export interface EngineResult {
  readonly bytes: Uint8Array;
  readonly elapsed: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

export interface EngineWrite {
  readonly elapsed: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** By the engine's own parser. `queryClass`: 0 reads, 1 writes, 4 does not parse, the rest is neither. */
export interface EngineClassification {
  readonly statementCount: number;
  readonly queryClass: number;
}

/** The native addon's functions that are used here (chdb 3.4). Connections are opaque handles. */
interface Addon {
  CreateConnection(path: string, settings: readonly string[]): unknown;
  CloseConnection(connection: unknown): void;
  QueryAsyncConnection(connection: unknown, sql: string, format: string): Promise<EngineResult>;
  InsertRawAsyncConnection(connection: unknown, sql: string, data: Buffer, countLines: boolean): Promise<EngineWrite>;
  DurableClassifyAsync(connection: unknown, sql: string, database: string): Promise<EngineClassification>;
}

export interface EngineOptions {
  readonly dataDir: string;
  /** Written at every start. */
  readonly configurationFile: string;
  readonly memoryBytes: number;
}

/** The ClickHouse engine inside this process. One per process, one process per data folder. */
export class Engine {
  readonly #addon: Addon;
  readonly #dataDir: string;
  readonly #settings: readonly string[];
  readonly #first: EngineConnection;

  /** Throws ClickHouseException (code 76 when another process holds the folder). */
  constructor(options: EngineOptions) {
    this.#addon = loadAddon();
    this.#dataDir = options.dataDir;
    this.#settings = [
      `--config-file=${writeConfiguration(options.configurationFile)}`,
      `--max_server_memory_usage=${String(options.memoryBytes)}`,
      `--mark_cache_size=${String(Math.min(256 * 1024 * 1024, Math.floor(options.memoryBytes / 8)))}`,
    ];
    // Stays open: the engine shuts down with its last connection.
    this.#first = this.connect();
  }

  connect(): EngineConnection {
    try {
      return new EngineConnection(this.#addon, this.#addon.CreateConnection(this.#dataDir, this.#settings));
    } catch (error) {
      throw toException(error);
    }
  }

  close(): void {
    this.#first.close();
  }
}

/**
 * A connection has its own settings, parameters and current database. One call at a time. Close it only when none
 * is running: closing in the midst of a query takes the engine down.
 */
export class EngineConnection {
  readonly #addon: Addon;
  readonly #handle: unknown;
  #isClosed = false;

  constructor(addon: Addon, handle: unknown) {
    this.#addon = addon;
    this.#handle = handle;
  }

  async query(sql: string, format: string): Promise<EngineResult> {
    return rethrown(this.#addon.QueryAsyncConnection(this.#handle, sql, format));
  }

  /** Runs an INSERT that names its source itself (FROM INFILE or SELECT), and counts what it wrote. */
  async insert(sql: string): Promise<EngineWrite> {
    return rethrown(this.#addon.InsertRawAsyncConnection(this.#handle, sql, Buffer.alloc(0), false));
  }

  async classify(sql: string): Promise<EngineClassification> {
    return rethrown(this.#addon.DurableClassifyAsync(this.#handle, sql, 'default'));
  }

  async set(settings: ReadonlyMap<string, string>): Promise<void> {
    if (settings.size === 0) return;
    const list = [...settings].map(([name, value]) => `${name} = ${quote(value)}`).join(', ');
    await this.query(`SET ${list}`, 'Null');
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#addon.CloseConnection(this.#handle);
  }
}

/** A string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/**
 * Tables sync what is inserted unless they say otherwise, so that an acknowledged insert survives a power cut and not
 * only a kill. These are settings of tables, which neither SET nor the command line reaches.
 */
function writeConfiguration(file: string): string {
  const synced = '<fsync_after_insert>1</fsync_after_insert><fsync_part_directory>1</fsync_part_directory>';
  writeFileSync(file, `<clickhouse><merge_tree>${synced}</merge_tree></clickhouse>\n`);
  return file;
}

async function rethrown<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toException(error);
  }
}

function loadAddon(): Addon {
  const name = platformPackage();
  if (name === undefined) throw unsupportedPlatform();
  const chdb = createRequire(createRequire(import.meta.url).resolve('chdb/package.json'));
  const addon: unknown = chdb(name);
  if (!isAddon(addon)) throw new Error(`${name} lacks functions this version of Sluice needs; run make install`);
  return addon;
}

function isAddon(value: unknown): value is Addon {
  if (typeof value !== 'object' || value === null) return false;
  const names = [
    'CreateConnection',
    'CloseConnection',
    'QueryAsyncConnection',
    'InsertRawAsyncConnection',
    'DurableClassifyAsync',
  ];
  return names.every((name) => name in value);
}

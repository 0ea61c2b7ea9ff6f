import { randomUUID } from 'node:crypto';
import type { AnalystPolicy } from './analystPolicy.ts';
import { AnalystPolicy as Policy } from './analystPolicy.ts';
import { quote, quoteIdentifier, type Engine, type EngineConnection, type EngineResult } from './engine.ts';
import { exception } from './exception.ts';
import { multiStatement, type PreparedInsert, type PreparedQuery } from './preparedQuery.ts';
import type { RequestSettings } from './requestSettings.ts';
import { sendResultFile, summaryOf } from './resultFile.ts';
import { emptySummary, type ResponseWriter } from './responseWriter.ts';
import type { Sessions } from './sessions.ts';
import type { Spool } from './spool.ts';
import type { Role } from './users.ts';

/** One request, ready to run. */
export interface Execution {
  readonly user: { readonly name: string; readonly role: Role };
  /** A GET: may read only. */
  readonly isReadOnly: boolean;
  readonly prepared: PreparedQuery;
  readonly settings: RequestSettings;
  readonly defaultFormat: string;
  readonly writer: ResponseWriter;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Files made on the way, for the caller to remove. */
  readonly files: string[];
}

export interface ExecutorOptions {
  readonly maxResultBytes: number;
  readonly memoryBytes: number;
}

const killAgainMs = 300;
/** On a full disk the engine leaves table definitions of no bytes, and a database that has one is lost to it. */
const minFreeBytesForDefinitions = 16 * 1024 * 1024;

/** Runs one request's statement on a connection of its own (or its session's) and sends the result. */
export class QueryExecutor {
  readonly #engine: Engine;
  readonly #sessions: Sessions;
  readonly #spool: Spool;
  readonly #policy: AnalystPolicy;
  readonly #options: ExecutorOptions;

  constructor(engine: Engine, sessions: Sessions, spool: Spool, policy: AnalystPolicy, options: ExecutorOptions) {
    this.#engine = engine;
    this.#sessions = sessions;
    this.#spool = spool;
    this.#policy = policy;
    this.#options = options;
  }

  async run(execution: Execution): Promise<void> {
    const { settings, user } = execution;
    if (user.role === 'analyst')
      this.#policy.refuseSettings([...settings.settings.keys()].filter((name) => !name.startsWith('param_')));
    const lease = await this.#sessions.lease(user.name, settings);
    const { connection } = lease;
    try {
      const killId = randomUUID();
      await this.#configure(connection, execution, killId);
      try {
        await this.#runOn(connection, execution, killId);
      } finally {
        if (lease.isSession) await forgetSettings(connection, settings.settings);
      }
    } finally {
      lease.release();
    }
  }

  async #configure(connection: EngineConnection, execution: Execution, killId: string): Promise<void> {
    const { settings, user } = execution;
    const isAnalyst = user.role === 'analyst';
    await connection.set(
      new Map([
        // Otherwise `1 + 1` is a query, and inserts are acknowledged from a buffer of the engine's.
        ['implicit_select', '0'],
        ['async_insert', '0'],
        ...(isAnalyst ? analystLimits(this.#options.memoryBytes) : []),
        ...settings.settings,
        // By this KILL finds the query: the engine takes no query_id.
        ['log_comment', killId],
        ...(isAnalyst ? Policy.settings : []),
      ]),
    );
    const { database } = settings;
    if (database !== null && database !== '') await connection.query(`USE ${quoteIdentifier(database)}`, 'Null');
  }

  async #runOn(connection: EngineConnection, execution: Execution, killId: string): Promise<void> {
    const { statement } = execution.prepared;
    const { writer } = execution;
    if (statement.kind === 'insertData') {
      await this.#insert(connection, statement, execution);
      return;
    }
    if (statement.kind === 'select') {
      const sql = utf8(statement.body + statement.settings);
      await this.#admit(connection, statement.body + statement.settings, sql, execution);
      const path = this.#spool.newPath();
      execution.files.push(path);
      const format = formatName(statement.format ?? execution.defaultFormat);
      const outfile = `${utf8(statement.body)}\nINTO OUTFILE ${quote(path)} FORMAT ${format}${utf8(statement.settings)}`;
      const running = connection.query(outfile, format);
      await this.#killWhenGone(running, execution.signal, killId, () =>
        sendResultFile(running, writer, {
          path,
          format,
          waitEndOfQuery: execution.settings.waitEndOfQuery,
          maxBytes: this.#options.maxResultBytes,
        }),
      );
      return;
    }
    const sql = utf8(statement.sql);
    await this.#admit(connection, statement.sql, sql, execution);
    if (statement.kind === 'insertSelect') {
      const written = await connection.insert(sql);
      sendWritten(writer, execution.defaultFormat, written);
      return;
    }
    if (/^(?:create|alter|rename|exchange|attach)\b/i.test(sql)) await this.#requireRoomForDefinitions();
    if (/^kill\b/i.test(sql) && /\bsync\s*$/i.test(sql))
      throw exception('SUPPORT_IS_DISABLED', 'KILL … SYNC would not return here: use ASYNC');
    const format = formatName(statement.format ?? execution.defaultFormat);
    const running = connection.query(sql, format);
    await this.#killWhenGone(running, execution.signal, killId, async () => {
      const result = await running;
      writer.send(format, result.bytes, summaryOf(result, result.bytes.length));
    });
  }

  async #insert(connection: EngineConnection, prepared: PreparedInsert, execution: Execution): Promise<void> {
    const { insert, dataPath, compression } = prepared;
    const codec = compression === undefined ? '' : ` COMPRESSION ${quote(compression)}`;
    const sql = `${utf8(insert.target)}\nFROM INFILE ${quote(dataPath)}${codec}${utf8(insert.settings)} FORMAT ${formatName(insert.format)}`;
    await this.#refuseSeveral(connection, sql);
    sendWritten(execution.writer, execution.defaultFormat, await connection.insert(sql));
  }

  async #requireRoomForDefinitions(): Promise<void> {
    const freeBytes = await this.#spool.freeBytes();
    if (freeBytes >= minFreeBytesForDefinitions) return;
    throw exception(
      'NOT_ENOUGH_SPACE',
      `${String(freeBytes)} bytes are free on the disk; tables are created and changed only with ` +
        `${String(minFreeBytesForDefinitions)} or more`,
    );
  }

  /** One statement, and one that this user may run. */
  async #admit(connection: EngineConnection, sql: string, sqlText: string, execution: Execution): Promise<void> {
    const classification = await this.#refuseSeveral(connection, sqlText);
    if (execution.user.role === 'analyst') await this.#policy.refuse(connection, sql, sqlText, classification);
    if (execution.isReadOnly && classification.queryClass !== 0)
      throw exception(
        'READONLY',
        'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
      );
  }

  async #refuseSeveral(
    connection: EngineConnection,
    sql: string,
  ): Promise<{ readonly queryClass: number; readonly statementCount: number }> {
    if (sql.includes('\0')) throw exception('SYNTAX_ERROR', 'A query cannot contain a zero byte');
    const classification = await connection.classify(sql);
    if (classification.statementCount > 1) throw multiStatement();
    if (classification.statementCount === 0) {
      // It does not parse. Run as it is, a good statement in front of a bad one might take effect.
      await connection.query(`EXPLAIN AST ${sql}`, 'Null');
      throw exception('SYNTAX_ERROR', 'The query does not parse');
    }
    return classification;
  }

  /** Ends the query when the client goes or sending fails; returns only when nothing runs on the connection. */
  async #killWhenGone(
    running: Promise<EngineResult>,
    signal: AbortSignal,
    killId: string,
    send: () => Promise<void>,
  ): Promise<void> {
    const query = { isRunning: true };
    const onEnd = (): void => {
      query.isRunning = false;
    };
    const ended = running.then(onEnd, onEnd);
    const killUntilEnded = async (): Promise<void> => {
      // Again and again: the query may not have registered yet when the first KILL looks for it.
      while (query.isRunning) {
        await this.#kill(killId);
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, killAgainMs))]);
      }
    };
    const onAbort = (): void => {
      void killUntilEnded();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    try {
      await send();
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (query.isRunning) await killUntilEnded();
      await ended;
    }
  }

  /** Never SYNC, which does not return. */
  async #kill(killId: string): Promise<void> {
    const connection = this.#engine.connect();
    try {
      await connection.query(`KILL QUERY WHERE Settings['log_comment'] = ${quote(killId)} ASYNC`, 'Null');
    } catch {
      // The query has ended by itself, or the next attempt gets it.
    } finally {
      connection.close();
    }
  }
}

function sendWritten(
  writer: ResponseWriter,
  format: string,
  written: { readonly rowsWritten: number; readonly bytesWritten: number; readonly elapsed: number },
): void {
  writer.send(format, Buffer.alloc(0), {
    ...emptySummary,
    readRows: written.rowsWritten,
    readBytes: written.bytesWritten,
    writtenRows: written.rowsWritten,
    writtenBytes: written.bytesWritten,
    elapsedSeconds: written.elapsed,
  });
}

/** What a client sent by URL holds for one request, also in a session. */
async function forgetSettings(connection: EngineConnection, settings: ReadonlyMap<string, string>): Promise<void> {
  const names = [...settings.keys()].filter((name) => !name.startsWith('param_'));
  if (names.length === 0) return;
  try {
    await connection.query(`SET ${names.map((name) => `${name} = DEFAULT`).join(', ')}`, 'Null');
  } catch {
    // A setting that the engine does not know was refused with the request itself.
  }
}

/** So that no analyst can starve the writer. They may set other values. */
function analystLimits(memoryBytes: number): readonly (readonly [string, string])[] {
  return [
    ['max_memory_usage', String(Math.floor(memoryBytes / 2))],
    ['max_execution_time', '600'],
  ];
}

function formatName(name: string): string {
  if (!/^\w{1,64}$/.test(name)) throw exception('UNKNOWN_FORMAT', 'Unknown format');
  return name;
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

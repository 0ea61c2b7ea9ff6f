import type { EngineClassification, EngineConnection } from './engine.ts';
import { exception, toException } from './exception.ts';
import { tokenize } from './lexer.ts';

/**
 * What an analyst may run: reads of tables and views, nothing that reaches this machine's files or the network.
 *
 * The engine's readonly=2 forbids writes but lets file(), url(), executable() and INTO OUTFILE through (readonly=1
 * forbids most, not the scalar file(), and no client works with it). So, beside readonly=2: every table function is
 * refused but those known to be harmless (a new engine's new functions are refused until looked at); scalar functions
 * that read files or call out are refused wherever their name stands, since `arrayMap(file, …)` and `APPLY(file)`
 * need no call; settings that hold SQL or paths are refused. Calls are found in the engine's own syntax tree.
 */
export class AnalystPolicy {
  readonly #tableFunctions: ReadonlySet<string>;
  readonly #scalarFunctions: ReadonlySet<string>;

  constructor(tableFunctions: Iterable<string>, scalarFunctions: Iterable<string>) {
    this.#tableFunctions = new Set([...tableFunctions].map((name) => name.toLowerCase()));
    this.#scalarFunctions = new Set([...scalarFunctions].map((name) => name.toLowerCase()));
  }

  /** Reads the engine's catalogue of functions. */
  static async load(connection: EngineConnection): Promise<AnalystPolicy> {
    const tables = await connection.query('SELECT name FROM system.table_functions', 'TSVRaw');
    const scalars = await connection.query(
      "SELECT name FROM system.functions WHERE match(name, '^ai[A-Z]') OR origin != 'System'",
      'TSVRaw',
    );
    const refusedTables = lines(tables.bytes).filter((name) => !harmlessTableFunctions.has(name.toLowerCase()));
    return new AnalystPolicy(refusedTables, [...fileReadingFunctions, ...lines(scalars.bytes)]);
  }

  /** Settings for each of an analyst's connections, applied after the client's own. */
  static readonly settings: ReadonlyMap<string, string> = new Map([['readonly', '2']]);

  refuseSettings(names: Iterable<string>): void {
    for (const name of names) refuseSetting(name);
  }

  /** Throws code 497 or 164. `sql` is latin1 and one statement. */
  async refuse(
    connection: EngineConnection,
    sql: string,
    sqlText: string,
    classification: EngineClassification,
  ): Promise<void> {
    const leading = this.#refuseByTokens(sql);
    const isSessionStatement = leading === 'set' || leading === 'use';
    if (isSessionStatement) return;
    if (classification.queryClass !== 0 || !readingStatements.has(leading))
      throw exception('READONLY', `Cannot execute ${leading.toUpperCase().slice(0, 32)} in readonly mode`);
    let tree: string;
    try {
      tree = text((await connection.query(`EXPLAIN AST ${sqlText}`, 'TSVRaw')).bytes);
    } catch (error) {
      throw toException(error);
    }
    for (const match of tree.matchAll(/^ *Function (.*?)(?: \(alias .*)?(?: \(children \d+\))?$/gm)) {
      const name = match[1] ?? '';
      if (this.#tableFunctions.has(name.toLowerCase())) throw refusedFunction(name);
    }
  }

  /** Returns the statement's first keyword. */
  #refuseByTokens(sql: string): string {
    if (/outfile|infile/i.test(sql)) throw denied('files cannot be read or written');
    let leading: string | undefined;
    let isAfterSettings = false;
    let previousName = '';
    let isName = false;
    for (const token of tokenize(sql)) {
      const isSymbol = token.kind === 'symbol';
      if (isSymbol && token.text === '=' && isAfterSettings && isName) refuseSetting(previousName);
      if (isSymbol && token.text === '(' && isName && this.#tableFunctions.has(previousName))
        throw refusedFunction(previousName);
      if (isSymbol && token.text === '}' && previousName === 'identifier')
        throw denied('parameters of type Identifier are not available');
      isName = token.kind === 'word' || token.kind === 'quoted';
      previousName = isName ? token.text.toLowerCase() : '';
      if (token.kind === 'quoted' && token.text.includes('\\')) throw denied('quoted names cannot contain a backslash');
      if (isName && this.#scalarFunctions.has(previousName)) throw refusedFunction(previousName);
      if (token.kind === 'word' && (token.text === 'settings' || token.text === 'set')) isAfterSettings = true;
      if (leading === undefined && !(isSymbol && token.text === '(')) leading = token.kind === 'word' ? token.text : '';
    }
    return leading ?? '';
  }
}

const readingStatements = new Set(['select', 'with', 'from', 'show', 'describe', 'desc', 'explain', 'exists']);

const fileReadingFunctions = ['file', 'catboostEvaluate', 'reverseDNSQuery'];

/** They make up rows, or read tables of this engine. */
const harmlessTableFunctions = new Set([
  'dictionary',
  'format',
  'fuzzjson',
  'generaterandom',
  'generateseries',
  'generate_series',
  'loop',
  'merge',
  'mergetreeindex',
  'mergetreeprojection',
  'null',
  'numbers',
  'numbers_mt',
  'primes',
  'sqlstandardvalues',
  'values',
  'view',
  'viewexplain',
  'viewifpermitted',
  'zeros',
  'zeros_mt',
]);

/** Settings that hold SQL, paths, addresses or another dialect, or by which this endpoint works. */
const refusedSettings =
  /^(readonly|allow_ddl|log_comment|implicit_select|implicit_table_at_top_level)$|^param_|^additional_|schema|dialect|file|path|disk|url|s3|http|remote|secur|storage|profile|named_collection|introspection|^ai_/;

function refuseSetting(name: string): void {
  // A client's own parameters come by URL and are not settings of the engine.
  if (refusedSettings.test(name.toLowerCase())) throw denied(`setting ${name.slice(0, 64)} is not available`);
}

function refusedFunction(name: string): Error {
  return denied(`function ${name.slice(0, 64)} is not available: analysts read tables, not files or the network`);
}

function denied(what: string): Error {
  return exception('ACCESS_DENIED', `Not enough privileges: ${what}`);
}

function lines(bytes: Uint8Array): readonly string[] {
  return text(bytes)
    .split('\n')
    .filter((line) => line !== '');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

import { writeFile } from 'node:fs/promises';
import { quote, type EngineConnection } from './engine.ts';
import { exception } from './exception.ts';
import { maxSqlBytes, type EngineCompression, type RequestBody } from './requestBody.ts';
import type { Spool } from './spool.ts';
import { hasSecondStatement, parseStatement, refuseFileClauses, type InsertHead, type Statement } from './statement.ts';

/** A request's statement, with the data of an INSERT in a file. */
export interface PreparedQuery {
  readonly statement: Exclude<Statement, { kind: 'insertData' }> | PreparedInsert;
}

export interface PreparedInsert {
  readonly kind: 'insertData';
  readonly insert: InsertHead;
  readonly dataPath: string;
  readonly compression: EngineCompression | undefined;
}

/** Decompresses a small file that node:zlib cannot. */
export type FileDecoder = (path: string, compression: EngineCompression) => Promise<Buffer>;

/**
 * Joins the SQL of the URL and of the body, and puts the data of an INSERT into a file. `created` gets the path of
 * each file for the caller to remove, also when this throws.
 */
export async function prepareQuery(
  urlQuery: string,
  body: RequestBody | undefined,
  spool: Spool,
  decodeFile: FileDecoder,
  created: string[],
  refuse: (statement: Statement) => void,
): Promise<PreparedQuery> {
  const urlText = Buffer.from(urlQuery, 'utf8').toString('latin1');
  const insertInUrl = urlText === '' ? undefined : parseIfInsertData(urlText);
  if (insertInUrl !== undefined) {
    refuseFileClauses(insertInUrl);
    refuse(insertInUrl);
    const inline = Buffer.from(urlText.slice(insertInUrl.insert.dataStart), 'latin1');
    const compression = body?.engineCompression;
    if (compression !== undefined && inline.length > 0)
      throw exception('BAD_ARGUMENTS', 'Data in the URL cannot be followed by a compressed body');
    const dataPath = newFile(spool, created);
    const first = inline.length > 0 ? Buffer.concat([inline, newline]) : inline;
    await writeData(dataPath, first, body);
    return { statement: { kind: 'insertData', insert: insertInUrl.insert, dataPath, compression } };
  }
  const { head, isComplete } = await readSql(body, spool, decodeFile, created);
  const text =
    urlText === '' || head.length === 0 ? urlText + head.toString('latin1') : `${urlText}\n${head.toString('latin1')}`;
  const statement = parseStatement(text);
  refuseFileClauses(statement);
  refuse(statement);
  if (statement.kind === 'insertData') {
    const dataPath = newFile(spool, created);
    const inline = Buffer.from(text.slice(statement.insert.dataStart), 'latin1');
    await writeData(dataPath, inline, isComplete ? undefined : body);
    return { statement: { kind: 'insertData', insert: statement.insert, dataPath, compression: undefined } };
  }
  if (!isComplete || text.length > maxSqlBytes + urlText.length)
    throw exception('SYNTAX_ERROR', `The query is longer than ${String(maxSqlBytes)} bytes`);
  if (hasSecondStatement(text)) throw multiStatement();
  return { statement };
}

export function multiStatement(): Error {
  return exception('SYNTAX_ERROR', 'Multi-statements are not allowed');
}

/** Reads a compressed file by the engine itself. */
export function engineFileDecoder(connect: () => EngineConnection): FileDecoder {
  return async (path, compression) => {
    const connection = connect();
    try {
      const result = await connection.query(
        `SELECT * FROM file(${quote(path)}, 'RawBLOB', 'body String', ${quote(compression)})`,
        'RawBLOB',
      );
      return Buffer.from(result.bytes);
    } finally {
      connection.close();
    }
  };
}

const newline = Buffer.from('\n');

function parseIfInsertData(text: string): (Statement & { kind: 'insertData' }) | undefined {
  // Whether the rest of the statement is in the body cannot be told from an incomplete one: then the body decides.
  if (!/^[\s(]*(?:--|\/\*|insert)/i.test(text)) return undefined;
  try {
    const statement = parseStatement(text);
    return statement.kind === 'insertData' ? statement : undefined;
  } catch {
    return undefined;
  }
}

async function readSql(
  body: RequestBody | undefined,
  spool: Spool,
  decodeFile: FileDecoder,
  created: string[],
): Promise<{ head: Buffer; isComplete: boolean }> {
  if (body === undefined) return { head: Buffer.alloc(0), isComplete: true };
  if (body.engineCompression === undefined) return body.readHead(maxSqlBytes);
  const path = newFile(spool, created);
  await body.writeTo(path, Buffer.alloc(0));
  return { head: await decodeFile(path, body.engineCompression), isComplete: true };
}

async function writeData(path: string, first: Buffer, body: RequestBody | undefined): Promise<void> {
  if (body === undefined) await writeFile(path, first, { flag: 'wx', mode: 0o600 });
  else await body.writeTo(path, first);
}

function newFile(spool: Spool, created: string[]): string {
  const path = spool.newPath();
  created.push(path);
  return path;
}

import type { ClickHouseClient } from '@clickhouse/client';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTable,
  runningQueries,
  startedClickHouse,
  until,
  writer,
  type StartedClickHouse,
} from './testing/startedClickHouse.ts';

let clickHouse: StartedClickHouse;
let client: ClickHouseClient;

beforeAll(async () => {
  clickHouse = await startedClickHouse();
  client = clickHouse.client();
});

afterAll(async () => {
  await clickHouse.stop();
});

async function rows(query: string, parameters: Record<string, unknown> = {}): Promise<unknown[]> {
  const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  return result.json();
}

describe('@clickhouse/client works unmodified', () => {
  it('pings', async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toMatchObject({ success: true });
  });

  it('inserts JSONEachRow and tells how many rows were written', async () => {
    await createTable(client, 'json_rows');
    const result = await client.insert({
      table: 'json_rows',
      values: [
        { a: 1, s: 'x\n\nDROP TABLE json_rows' },
        { a: 2, s: "it's 中文" },
      ],
      format: 'JSONEachRow',
    });
    expect(result.summary?.written_rows).toBe('2');
    expect(await rows('SELECT * FROM json_rows ORDER BY a')).toEqual([
      { a: 1, s: 'x\n\nDROP TABLE json_rows' },
      { a: 2, s: "it's 中文" },
    ]);
  });

  it('inserts RowBinary and Native with line feeds among the bytes', async () => {
    await createTable(client, 'binary_rows', 'a Int64');
    // 0x0a0a0a0a0a0a0a0a eight times over: a blank line in every value.
    const lineFeeds = Buffer.alloc(64, 0x0a);
    const rowBinary = await client.exec({
      query: 'INSERT INTO binary_rows (a) FORMAT RowBinary',
      values: Readable.from([lineFeeds], { objectMode: false }),
    });
    rowBinary.stream.resume();
    expect(rowBinary.summary?.written_rows).toBe('8');
    // Native: one column, nine rows (eight would be the same block again), its name and type, then the values.
    const native = Buffer.concat([Buffer.from('\x01\x09\x01a\x05Int64', 'latin1'), Buffer.alloc(72, 0x0a)]);
    (
      await client.exec({
        query: 'INSERT INTO binary_rows FORMAT Native',
        values: Readable.from([native], { objectMode: false }),
      })
    ).stream.resume();
    expect(await rows('SELECT count() AS n, uniqExact(a) AS values, hex(any(a)) AS value FROM binary_rows')).toEqual([
      { n: 17, values: 1, value: '0A0A0A0A0A0A0A0A' },
    ]);
  });

  it('selects JSON, CSV with a header, and streams', async () => {
    const json = await client.query({ query: 'SELECT number AS n FROM numbers(3)', format: 'JSON' });
    expect(await json.json()).toMatchObject({ rows: 3, data: [{ n: 0 }, { n: 1 }, { n: 2 }] });
    const csv = await client.query({ query: 'SELECT number AS n FROM numbers(2)', format: 'CSVWithNames' });
    expect(await csv.text()).toBe('"n"\n0\n1\n');
    const stream = await client.query({ query: 'SELECT number FROM numbers(400000)', format: 'CSV' });
    let sum = 0;
    for await (const batch of stream.stream()) for (const row of batch) sum += Number(row.text);
    expect(sum).toBe((400_000 * 399_999) / 2);
  });

  it('binds parameters, in the URL and as multipart', async () => {
    const query =
      'SELECT {n: UInt32} AS n, {s: String} AS s, {list: Array(String)} AS list, {none: Nullable(String)} AS none';
    const parameters = { n: 7, s: "tab\there 'quote' \\ line\n", list: ["a'b", 'c'], none: null };
    expect(await rows(query, parameters)).toEqual([parameters]);
    const multipart = await client.query({
      query,
      query_params: parameters,
      use_multipart_params: true,
      format: 'JSONEachRow',
    });
    expect(await multipart.json()).toEqual([parameters]);
  });

  it('keeps concurrent queries and their parameters apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => rows('SELECT {n: UInt32} AS n, sleep(0.01) AS s', { n })),
    );
    expect(answers.flat()).toEqual(Array.from({ length: 40 }, (_, n) => ({ n, s: 0 })));
  });

  it('compresses both ways', async () => {
    await createTable(client, 'compressed');
    const compressing = clickHouse.client(writer);
    await compressing.insert({ table: 'compressed', values: [{ a: 1, s: 'z' }], format: 'JSONEachRow' });
    const url = `/?enable_http_compression=1&query=${encodeURIComponent('SELECT * FROM compressed FORMAT CSV')}`;
    const response = await clickHouse.post(url, '', { 'accept-encoding': 'gzip' });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.text()).toBe('1,"z"\n');
    const insert = await clickHouse.post(
      `/?query=${encodeURIComponent('INSERT INTO compressed FORMAT CSV')}`,
      gzipSync('2,"y\n\ny"\n'),
      { 'content-encoding': 'gzip' },
    );
    expect(insert.status).toBe(200);
    expect(await rows('SELECT count() AS n FROM compressed')).toEqual([{ n: 2 }]);
  });

  it('reports errors with code and type', async () => {
    await expect(client.query({ query: 'SELECT * FROM missing_table' })).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await expect(client.command({ query: 'SELEKT 1' })).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' });
  });

  it('reports an error in the middle of a long result', async () => {
    const result = await client.query({
      query:
        "SELECT throwIf(number = 40) AS x, repeat('x', 100000) AS s, sleepEachRow(0.01) AS z FROM numbers(50) SETTINGS max_block_size = 1",
      format: 'JSONEachRow',
    });
    let seen = 0;
    const reading = (async () => {
      for await (const batch of result.stream()) seen += batch.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' });
    expect(seen).toBeGreaterThan(0);
  });

  it('gives the status instead when asked to wait for the end', async () => {
    const response = await clickHouse.post(
      '/?wait_end_of_query=1',
      "SELECT throwIf(number = 40), repeat('x', 100000) FROM numbers(50) FORMAT CSV SETTINGS max_block_size = 1",
    );
    expect(response.status).toBe(500);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('395');
  });

  it('ends a query whose client is gone', async () => {
    const abort = new AbortController();
    const query = client.query({
      query: 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 AND 77 = 77',
      abort_signal: abort.signal,
    });
    await until(async () => (await runningQueries(client, '77 = 77')) === 1);
    abort.abort();
    await expect(query).rejects.toThrow('aborted');
    await until(async () => (await runningQueries(client, '77 = 77')) === 0);
  });

  it('drops a batch that comes again with its deduplication token', async () => {
    await createTable(client, 'deduplicated');
    const insert = async (token: string): Promise<unknown> =>
      client.insert({
        table: 'deduplicated',
        values: [{ a: 1, s: 'same' }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: token },
      });
    await insert('0-1');
    await insert('0-1');
    await insert('1-2');
    expect(await rows('SELECT count() AS n FROM deduplicated')).toEqual([{ n: 2 }]);
  });
});

import type { ClickHouseClient } from '@clickhouse/client';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorization,
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

async function text(query: string): Promise<string> {
  return (await clickHouse.post('/', query)).text();
}

describe('the protocol', () => {
  it('answers ping without a password', async () => {
    const response = await fetch(`${clickHouse.server.url}/ping`);
    expect(await response.text()).toBe('Ok.\n');
  });

  it('joins the SQL of the URL and of the body', async () => {
    const response = await clickHouse.post('/?query=SELECT%201%2B', '1 FORMAT CSV');
    expect(await response.text()).toBe('2\n');
  });

  it('takes INSERT and data together in the body, cut at the first line end', async () => {
    await createTable(client, 'in_body');
    const body = 'INSERT INTO in_body FORMAT JSONEachRow\n{"a":1,"s":"x"}\n\n{"a":2,"s":"y"}\n\nDROP TABLE in_body\n';
    expect((await clickHouse.post('/', body.replace('\n\nDROP TABLE in_body', ''))).status).toBe(200);
    // The rest is data and nothing else: here it is malformed data.
    expect((await clickHouse.post('/', body)).status).toBe(400);
    expect(await text('SELECT count() FROM in_body')).toBe('2\n');
  });

  it('takes VALUES and INSERT … SELECT', async () => {
    await createTable(client, 'in_sql');
    expect((await clickHouse.post('/', "INSERT INTO in_sql VALUES (1, 'a\n\nb;'), (2, 'c')")).status).toBe(200);
    const response = await clickHouse.post('/', 'INSERT INTO in_sql SELECT number, toString(number) FROM numbers(5)');
    expect(response.headers.get('x-clickhouse-summary')).toContain('"written_rows":"5"');
    expect(await text('SELECT count(), countIf(position(s, char(10, 10)) > 0) FROM in_sql')).toBe('7\t1\n');
  });

  it('takes a body larger than what is kept in memory', async () => {
    await createTable(client, 'large');
    const line = `{"a":1,"s":"${'x'.repeat(990)}"}\n`;
    const response = await clickHouse.post('/', `INSERT INTO large FORMAT JSONEachRow\n${line.repeat(5000)}`);
    expect(response.headers.get('x-clickhouse-summary')).toContain('"written_rows":"5000"');
  });

  it('tells query id, format, time zone and counts', async () => {
    const response = await clickHouse.post('/?query_id=q-1&default_format=CSV', 'SELECT number FROM numbers(10)');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-clickhouse-query-id': 'q-1',
      'x-clickhouse-format': 'CSV',
      'x-clickhouse-timezone': 'UTC',
      'content-type': 'text/csv; charset=UTF-8; header=absent',
    });
    expect(JSON.parse(response.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ read_rows: '10' });
  });

  it('takes settings, the database and sessions', async () => {
    expect(await (await clickHouse.post('/?max_threads=1', "SELECT getSetting('max_threads')")).text()).toBe('1\n');
    expect(await (await clickHouse.post('/?database=system', 'SELECT count() FROM one')).text()).toBe('1\n');
    expect((await clickHouse.post('/?database=nowhere', 'SELECT 1')).status).toBe(404);
    expect((await clickHouse.post('/?no_such_setting=1', 'SELECT 1')).status).toBe(400);
    await clickHouse.post('/?session_id=s1', 'CREATE TEMPORARY TABLE mine (a Int8)');
    await clickHouse.post('/?session_id=s1&max_block_size=7', 'INSERT INTO mine VALUES (4)');
    expect(await (await clickHouse.post('/?session_id=s1', 'SELECT * FROM mine')).text()).toBe('4\n');
    // A setting in the URL holds for its request only.
    expect(await (await clickHouse.post('/?session_id=s1', "SELECT getSetting('max_block_size') = 7")).text()).toBe(
      '0\n',
    );
    expect((await clickHouse.post('/', 'SELECT * FROM mine')).status).toBe(404);
    expect((await clickHouse.post('/?session_id=s2&session_check=1', 'SELECT 1')).status).toBe(400);
  });

  it('refuses a second request in a busy session', async () => {
    const first = clickHouse.post('/?session_id=busy', 'SELECT sleep(1.5)');
    await until(async () => (await runningQueries(client, 'sleep(1.5)')) === 1);
    const second = await clickHouse.post('/?session_id=busy', 'SELECT 1');
    expect(second.headers.get('x-clickhouse-exception-code')).toBe('373');
    expect((await first).status).toBe(200);
  });

  it.each([
    'SELECT 1; DROP TABLE keep',
    'DROP TABLE keep; SELECT 1',
    'DROP TABLE keep; nonsense',
    'SELECT 1\n;\n/* x */ SELECT 2',
    'INSERT INTO keep SELECT 1; DROP TABLE keep',
    'INSERT INTO keep; DROP TABLE keep FORMAT CSV\n1',
  ])('refuses more than one statement: %s', async (query) => {
    await client.command({ query: 'CREATE TABLE IF NOT EXISTS keep (a Int8) ENGINE = MergeTree ORDER BY a' });
    const response = await clickHouse.post('/', query);
    expect(response.status).toBe(400);
    expect(await text('SELECT count() FROM keep')).toBe('0\n');
  });

  it('a GET reads only', async () => {
    const get = async (query: string): Promise<Response> =>
      fetch(`${clickHouse.server.url}/?query=${encodeURIComponent(query)}`, { headers: authorization(writer) });
    expect(await (await get('SELECT 5')).text()).toBe('5\n');
    expect((await get('CREATE TABLE by_get (a Int8) ENGINE = Memory')).status).toBe(403);
    expect((await get('INSERT INTO keep VALUES (1)')).status).toBe(403);
  });

  it.each([
    ['compress=1', 'SELECT 1', 400],
    ['session_timeout=99999&session_id=x', 'SELECT 1', 400],
    ['', '', 400],
    ['', 'SELECT 1 FORMAT NoSuchFormat', 400],
    ['', 'SELECT 1 FORMAT `CSV`', 400],
    ['', "SELECT 1 INTO OUTFILE 'x'", 400],
    ['', 'SELECT\0 1', 400],
    ['', 'KILL QUERY WHERE 0 SYNC', 400],
    ['bad%20name=1', 'SELECT 1', 400],
  ])('refuses ?%s %s with %i', async (parameters, query, status) => {
    const response = await clickHouse.post(`/?${parameters}`, query);
    expect([response.status, await response.text()]).toEqual([status, expect.stringContaining('DB::Exception')]);
  });

  it('refuses a broken compressed body', async () => {
    const bytes = gzipSync('1,"a"\n'.repeat(1000)).subarray(0, 40);
    const path = `/?query=${encodeURIComponent('INSERT INTO json_rows FORMAT CSV')}`;
    expect((await clickHouse.post(path, bytes, { 'content-encoding': 'gzip' })).status).toBe(400);
    expect(() => gunzipSync(bytes)).toThrow();
  });

  it('leaves no files behind', async () => {
    await until(() => Promise.resolve(readdirSync(join(clickHouse.dataDir, 'spool')).length === 0));
  });
});

describe('users', () => {
  const asked = async (headers: Record<string, string>, query = ''): Promise<Response> =>
    fetch(`${clickHouse.server.url}/${query}`, { method: 'POST', body: 'SELECT 1', headers });

  it('authenticate by basic authorization, headers or URL', async () => {
    expect((await asked(authorization(writer))).status).toBe(200);
    expect((await asked({ 'x-clickhouse-user': 'analyst', 'x-clickhouse-key': 'read' })).status).toBe(200);
    expect((await asked({}, '?user=analyst&password=read')).status).toBe(200);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a wrong password', authorization({ ...writer, password: 'no' }), ''],
    ['an unknown user', { 'x-clickhouse-user': 'root' }, ''],
    ['nobody', {}, ''],
    ['an empty password', {}, '?user=analyst'],
  ])('are refused with code 516: %s', async (_name, headers, query) => {
    const response = await asked(headers, query);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe('516');
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('AUTHENTICATION_FAILED');
  });
});

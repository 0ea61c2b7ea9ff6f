import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  analyst,
  authorization,
  createTable,
  startedClickHouse,
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

describe('an analyst', () => {
  const ask = async (query: string, parameters = ''): Promise<Response> =>
    fetch(`${clickHouse.server.url}/?${parameters}`, { method: 'POST', body: query, headers: authorization(analyst) });

  beforeAll(async () => {
    await createTable(client, 'seen');
    await client.command({ query: "INSERT INTO seen SELECT number, '/etc/passwd' FROM numbers(3)" });
    await client.command({ query: 'CREATE VIEW seen_view AS SELECT a FROM seen WHERE a = {a: Int64}' });
  });

  it.each([
    ['SELECT count() FROM seen', '3\n'],
    ["SELECT 'file(x)', '/etc/passwd' = any(s) FROM seen WHERE a IN (SELECT number FROM numbers(9))", 'file(x)\t1\n'],
    ['WITH t AS (SELECT a FROM seen) SELECT max(a) FROM t SETTINGS max_threads = 1', '2\n'],
    ['SELECT a FROM seen_view(a = 1)', '1\n'],
    ["SHOW TABLES LIKE 'seen'", 'seen\n'],
    ['EXISTS TABLE seen', '1\n'],
    ['SET max_threads = 2', ''],
  ])('may run %s', async (query, answer) => {
    const response = await ask(query);
    expect([await response.text(), response.status]).toEqual([answer, 200]);
  });

  it.each([
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT FiLe('/etc/passwd')",
    "SELECT * FROM `file` /* */ ('/etc/passwd')",
    "SELECT * FROM `fil\\x65`('/etc/passwd')",
    "SELECT * FROM “file”('/etc/passwd')",
    "SELECT * FROM file\u00a0('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/passwd'])",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS a)",
    "SELECT * REPLACE(file('/etc/passwd') AS s) FROM seen",
    "SELECT a FROM seen WHERE s = (SELECT file('/etc/passwd'))",
    "DESCRIBE file('/etc/passwd')",
    "EXPLAIN SELECT file('/etc/passwd')",
    "SELECT * FROM view(SELECT * FROM file('/etc/passwd', 'LineAsString'))",
    "SELECT * FROM filesystem('/etc')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a Int8')",
    "SELECT * FROM executable('x', 'CSV', 'a Int8')",
    "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
    "SELECT * FROM s3('http://127.0.0.1/bucket/x', 'CSV', 'a Int8')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT a FROM seen SETTINGS additional_result_filter = 'file(s) != 1'",
    "SET additional_table_filters = {'seen': 'file(s) != 1'}",
    'SET readonly = 0',
    'SELECT 1 SETTINGS readonly = 0',
    "SET dialect = 'kusto'",
    "SET param_x = 'file'",
    "SELECT 1 FORMAT CSV SETTINGS format_schema = '/etc/passwd'",
  ])('has no way to files, the network or other settings: %s', async (query) => {
    const response = await ask(query);
    const answer = await response.text();
    expect(answer).not.toContain('root:');
    expect([answer, response.status]).toEqual([expect.stringMatching(/ACCESS_DENIED|READONLY/), 403]);
  });

  it.each([
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT {f: Identifier}('/etc/passwd')",
    "SELECT 1; SELECT file('/etc/passwd')",
  ])('nor by other ways: %s', async (query) => {
    const response = await ask(query, 'param_f=file');
    expect(response.ok).toBe(false);
    expect(await response.text()).not.toContain('root:');
  });

  it('cannot name a function by a parameter', async () => {
    const response = await ask("SELECT arrayMap({f: Identifier}, ['/etc/passwd'])", 'param_f=file');
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining('ACCESS_DENIED')]);
  });

  it.each([
    'INSERT INTO seen VALUES (1, 1)',
    'INSERT INTO seen SELECT 1, 1',
    "INSERT INTO FUNCTION file('/tmp/x', 'CSV', 'a Int8') SELECT 1",
    'DROP TABLE seen',
    'CREATE TABLE t (a Int8) ENGINE = Memory',
    "CREATE TEMPORARY TABLE t (a String) ENGINE = URL('http://127.0.0.1:1/', CSV)",
    'ALTER TABLE seen DELETE WHERE 1',
    'KILL QUERY WHERE 1 ASYNC',
    'SYSTEM FLUSH LOGS',
    'TRUNCATE TABLE seen',
    'OPTIMIZE TABLE seen',
    'ATTACH TABLE seen',
    '1 + 1',
  ])('cannot write: %s', async (query) => {
    const response = await ask(query);
    expect([await response.text(), response.status]).toEqual([
      expect.stringMatching(/READONLY|SYNTAX_ERROR|ACCESS_DENIED/),
      expect.any(Number),
    ]);
    expect(response.ok).toBe(false);
    expect(await text('SELECT count() FROM seen')).toBe('3\n');
  });

  it.each(['readonly=0', 'additional_result_filter=file(s)', 'dialect=prql', 'format_schema=x'])(
    'cannot set by URL: %s',
    async (parameters) => {
      expect((await ask('SELECT 1', parameters)).status).toBe(403);
    },
  );
});

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyst, startedClickHouse, writer, type StartedClickHouse } from './testing/startedClickHouse.ts';

// A Python with testing/requirements.txt installed.
const python = process.env['SLUICE_TEST_PYTHON'] ?? 'python3';
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const hasClickHouseConnect = spawnSync(python, ['-c', 'import clickhouse_connect']).status === 0;
if (!hasCurl) console.warn('The curl tests do not run: there is no curl');
if (!hasClickHouseConnect)
  console.warn(`The clickhouse-connect tests do not run: ${python} lacks it (SLUICE_TEST_PYTHON names another Python)`);

let clickHouse: StartedClickHouse;
let folder: string;

beforeAll(async () => {
  clickHouse = await startedClickHouse();
  folder = mkdtempSync(join(tmpdir(), 'sluice-curl-'));
});

afterAll(async () => {
  await clickHouse.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(command: string, args: readonly string[]): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve({ exitCode, output });
    });
  });
}

async function curl(...args: string[]): Promise<string> {
  const { output } = await run('curl', ['-sS', '-u', `${writer.name}:${writer.password}`, ...args]);
  return output;
}

describe.runIf(hasCurl)('curl', () => {
  const query = (text: string): string => `${clickHouse.server.url}/?query=${encodeURIComponent(text)}`;

  it('asks by URL and by body', async () => {
    expect(await curl(query('SELECT 1'))).toBe('1\n');
    expect(await curl(clickHouse.server.url, '-d', 'SELECT 2 FORMAT JSONEachRow')).toBe('{"2":2}\n');
    expect(await curl(clickHouse.server.url, '-F', 'query=SELECT {n: UInt8}', '-F', 'param_n=3')).toBe('3\n');
  });

  it('inserts a CSV file with blank lines in it', async () => {
    const file = join(folder, 'rows.csv');
    writeFileSync(file, '1,"a"\n2,"b\n\nDROP TABLE curled\n"\n');
    await curl(clickHouse.server.url, '-d', 'CREATE TABLE curled (a Int8, s String) ENGINE = MergeTree ORDER BY a');
    expect(await curl(query('INSERT INTO curled FORMAT CSV'), '--data-binary', `@${file}`)).toBe('');
    expect(await curl(query('SELECT a, s FROM curled ORDER BY a FORMAT JSONCompactEachRow'))).toBe(
      '[1, "a"]\n[2, "b\\n\\nDROP TABLE curled\\n"]\n',
    );
  });

  it('gets compressed results and errors', async () => {
    const compressed = `${query('SELECT number FROM numbers(3)')}&enable_http_compression=1`;
    expect(await curl('--compressed', compressed)).toBe('0\n1\n2\n');
    expect(await curl('-w', '%{http_code}', query('SELECT * FROM missing'))).toMatch(/^Code: 60\..*\n404$/s);
  });
});

describe.runIf(hasClickHouseConnect)("Python's clickhouse-connect", () => {
  it('works unmodified', async () => {
    const script = fileURLToPath(new URL('./testing/conformance.py', import.meta.url));
    const port = new URL(clickHouse.server.url).port;
    expect(await run(python, [script, port, writer.password, analyst.password])).toEqual({
      exitCode: 0,
      output: 'ok\n',
    });
  });
});

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFolderError } from './dataFolderError.ts';
import { openLmdb } from './openLmdb.ts';

const CHILD = fileURLToPath(new URL('./testing/lmdbChild.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

let folder: string;
let children: ChildProcessByStdio<null, Readable, null>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-lmdb-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function startChild(command: string, ...rest: string[]): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, ['--import', TSX, CHILD, command, folder, ...rest], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  return child;
}

const exited = (child: ChildProcessByStdio<null, Readable, null>): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

/** The lines of a child, until `enough` says so or it ends. */
async function linesOf(
  child: ChildProcessByStdio<null, Readable, null>,
  enough: (line: string, count: number) => boolean = () => false,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (enough(line, lines.length)) break;
  }
  return lines;
}

const oneLine = async (child: ChildProcessByStdio<null, Readable, null>): Promise<string> =>
  (await linesOf(child, () => true))[0] ?? '';

describe('A writer that is killed', () => {
  it('leaves every acknowledged record and decision, in whole calls, without gaps', async () => {
    let acknowledged: [first: number, count: number][] = [];
    for (const killAfterLines of [40, 5, 120]) {
      const child = startChild('append');
      const lines = await linesOf(child, (_line, count) => {
        if (count === killAfterLines) child.kill('SIGKILL');
        return false;
      });
      await exited(child);
      const calls = lines.flatMap((line): [number, number][] => {
        const match = /^ok (\d+) (\d+)$/.exec(line);
        return match === null ? [] : [[Number(match[1]), Number(match[2])]];
      });
      expect(calls.length).toBeGreaterThan(0);
      acknowledged = [...acknowledged, ...calls];

      const data = openLmdb(folder);
      const end = data.ledger.endOffset();
      const rows = await data.ledger.read(0, end);
      expect(rows.map((row) => row.offset)).toEqual(Array.from({ length: end }, (_, index) => index));
      for (const [first, count] of acknowledged) {
        expect(first + count).toBeLessThanOrEqual(end);
        const parts = rows.slice(first, first + count).map((row) => row.value.toString().split(':'));
        expect(parts.map((part) => part[3])).toEqual(Array.from({ length: count }, (_, part) => String(part)));
        expect(new Set(parts.map((part) => part.slice(0, 3).join(':'))).size).toBe(1);
        expect((await data.decisions.find(`t-${first}`))?.toString()).toBe(`d-${first}`);
      }
      await data.close();
    }
  });
});

describe('A reader beside the writer', () => {
  const appendMany = async (): Promise<void> => {
    const data = openLmdb(folder);
    for (let index = 0; index < 300; index++) {
      // 20 MB in all: the map grows several times under the reader.
      const first = await data.ledger.append(Array.from({ length: 10 }, () => Buffer.alloc(7_000, index)));
      await data.decisions.put([
        { ledgerOffset: first, transactionId: `t-${first}`, isFirst: true, value: Buffer.alloc(900, index) },
      ]);
    }
    // Who has seen this one can see every decision.
    await data.ledger.append([Buffer.alloc(1)]);
    await data.close();
  };

  it('follows from another process', async () => {
    await openLmdb(folder).close();
    const follower = startChild('follow', '3001');
    const lines = linesOf(follower);
    await appendMany();
    expect((await lines).at(-1)).toBe('followed 3001 decisions 300');
    await exited(follower);
  });

  it('follows from a worker thread of the same process', async () => {
    await openLmdb(folder).close();
    // tsx does not take part in a worker by `--import`; it has to be asked inside.
    const start =
      `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})` +
      `.then(({ register }) => { register(); return import(${JSON.stringify(pathToFileURL(CHILD).href)}); })`;
    const worker = new Worker(start, { eval: true, workerData: ['follow', folder, '3001'] });
    const lines: string[] = [];
    worker.on('message', (line: unknown) => lines.push(String(line)));
    const ended = new Promise<unknown>((resolve) => {
      worker.once('exit', resolve);
      worker.once('error', resolve);
    });
    await appendMany();
    expect(await ended).toBe(0);
    expect(lines.at(-1)).toBe('followed 3001 decisions 300');
  });

  it('gets a clear answer when there is nothing to read', () => {
    expect(() => openLmdb(folder, { readOnly: true })).toThrow(
      expect.objectContaining({ code: 'SLUICE_DATA_MISSING', message: `There is no Sluice data in ${folder}.` }),
    );
  });
});

describe('A second writer', () => {
  it('of the same process is refused, until the first has closed', async () => {
    const first = openLmdb(folder);
    expect(() => openLmdb(folder)).toThrow(DataFolderError);
    expect(() => openLmdb(folder)).toThrow(/in use by this process/);
    await first.close();
    await openLmdb(folder).close();
  });

  it('of another process is refused with a line that says who has it', async () => {
    const first = openLmdb(folder);
    expect(await oneLine(startChild('open'))).toBe(
      `SLUICE_DATA_IN_USE The data folder ${folder} is in use by process ${process.pid}. ` +
        'Stop it first, or choose another folder.',
    );
    await first.close();
    expect(await oneLine(startChild('open'))).toBe('opened');
  });

  it('takes over the lock of a process that is gone', async () => {
    const child = startChild('append');
    await linesOf(child, (line) => line.startsWith('ok'));
    child.kill('SIGKILL');
    await exited(child);
    expect(existsSync(join(folder, 'writer.lock'))).toBe(true);
    await openLmdb(folder).close();
    expect(existsSync(join(folder, 'writer.lock'))).toBe(false);
  });

  it.runIf(process.platform === 'linux')('takes over a lock whose pid belongs to another process by now', async () => {
    await writeFile(join(folder, 'writer.lock'), `${process.pid}\nanother-boot/123\n`);
    await openLmdb(folder).close();
  });

  it('takes over a lock file that cannot be read', async () => {
    await writeFile(join(folder, 'writer.lock'), '');
    await openLmdb(folder).close();
  });
});

// A small file system of its own: needs root, so elsewhere the file size limit below stands in.
const canMount = process.platform === 'linux' && process.getuid?.() === 0;
if (!canMount) console.log('lmdbFaults: mounting a small disk needs root on Linux; that test is left out');

describe('A full disk', () => {
  it.runIf(canMount)('refuses exactly the appends it cannot hold, and takes new ones when there is room', async () => {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]).status === 0;
    if (!mounted) {
      console.log('lmdbFaults: this machine does not let root mount a tmpfs; left out');
      return;
    }
    try {
      const data = openLmdb(join(disk, 'data'));
      const ballast = join(disk, 'ballast');
      await writeFile(ballast, Buffer.alloc(3_000_000));
      const append = (): Promise<number> => data.ledger.append([Buffer.alloc(9_000, 1), Buffer.alloc(9_000, 2)]);
      const accepted: number[] = [];
      const refused: unknown[] = [];
      for (let round = 0; round < 120; round++) {
        for (const result of await Promise.allSettled([append(), append()])) {
          if (result.status === 'fulfilled') accepted.push(result.value);
          else refused.push(result.reason);
        }
      }
      expect(refused.length).toBeGreaterThan(2);
      for (const reason of refused) expect(reason).toMatchObject({ code: 'SLUICE_LEDGER_FULL' });
      expect(data.ledger.endOffset()).toBe(accepted.length * 2);

      await rm(ballast);
      expect(await append()).toBe(accepted.length * 2);
      expect(await append()).toBe(accepted.length * 2 + 2);
      await data.close();

      const again = openLmdb(join(disk, 'data'));
      const rows = await again.ledger.read(0, 1_000);
      expect(rows.length).toBe(accepted.length * 2 + 4);
      expect(rows.every((row) => row.value.every((byte) => byte === 1 + (row.offset % 2)))).toBe(true);
      await again.close();

      await writeFile(ballast, Buffer.alloc(8_000_000)).catch(() => undefined);
      expect(() => openLmdb(join(disk, 'other'))).toThrow(expect.objectContaining({ code: 'SLUICE_DATA_FULL' }));
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it.runIf(process.platform === 'linux')('under a file size limit: refuses, keeps what it acknowledged', async () => {
    const child = spawn(
      'bash',
      [
        '-c',
        'trap "" XFSZ; ulimit -f 512; exec "$@"',
        'bash',
        process.execPath,
        '--import',
        TSX,
        CHILD,
        'append',
        folder,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    children.push(child);
    let refusals = 0;
    const lines = await linesOf(child, (line) => line.startsWith('refused') && ++refusals === 20);
    child.kill('SIGKILL');
    await exited(child);
    expect(new Set(lines.filter((line) => line.startsWith('refused')))).toEqual(
      new Set(['refused SLUICE_LEDGER_FULL']),
    );
    const data = openLmdb(folder);
    const end = data.ledger.endOffset();
    for (const line of lines) {
      const match = /^ok (\d+) (\d+)$/.exec(line);
      if (match !== null) expect(Number(match[1]) + Number(match[2])).toBeLessThanOrEqual(end);
    }
    expect((await data.ledger.read(0, end)).length).toBe(end);
    expect(await data.ledger.append([Buffer.from('after')])).toBe(end);
    await data.close();
  });
});

describe('The lock file', () => {
  it('names its owner', async () => {
    const data = openLmdb(folder);
    expect((await readFile(join(folder, 'writer.lock'), 'utf8')).split('\n')[0]).toBe(String(process.pid));
    await data.close();
  });
});

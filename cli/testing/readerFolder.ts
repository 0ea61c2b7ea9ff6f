import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApiKey } from '../../infra/http/apiKeys.ts';
import { sluiceProgram, spawnSluice } from './spawnSluice.ts';
import { UpSluice } from './upSluice.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What a command of the documents wrote. */
export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
}

/**
 * A folder as a reader of the documents has it after a download: ./sluice, config/default, and Sluice running on it. Only
 * ports and key are others than the documents say.
 */
export class ReaderFolder {
  readonly #folder: string;
  readonly #key: string;
  readonly #sluice: UpSluice;

  private constructor(folder: string, key: string, sluice: UpSluice) {
    this.#folder = folder;
    this.#key = key;
    this.#sluice = sluice;
  }

  static async start(): Promise<ReaderFolder> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
    for (const name of ['node_modules', 'schemas']) symlinkSync(join(ROOT, name), join(folder, name));
    const launcher = join(folder, 'sluice');
    writeFileSync(launcher, `#!/bin/sh\nexec '${process.execPath}' ${quoted(sluiceProgram())} "$@"\n`);
    chmodSync(launcher, 0o755);
    const config = join(folder, 'config/default');
    cpSync(join(ROOT, 'config/default'), config, { recursive: true });
    const { key, sha256 } = createApiKey();
    edit(join(config, 'sluice.yaml'), 'apiKeys: []', `apiKeys: [{ id: reader, sha256: ${sha256}, role: operator }]`);
    const dataDir = join(folder, 'data/default');
    const process_ = spawnSluice(['up', '--config', config, '--data', dataDir, '--port', '0', '--history-port', '0']);
    const sluice = await UpSluice.ready(process_, dataDir);
    // `./sluice query` and `./sluice state` ask where sluice.yaml says.
    edit(join(config, 'sluice.yaml'), 'port: 8080', `port: ${new URL(sluice.url).port}`);
    edit(join(config, 'sluice.yaml'), 'port: 8123 }\n  batch', `port: ${new URL(sluice.historyUrl).port} }\n  batch`);
    return new ReaderFolder(folder, key, sluice);
  }

  /** Runs a block of shell commands once history has everything that the blocks before it did. */
  async run(commands: string): Promise<CommandResult> {
    await this.#sluice.historyCaughtUp(await this.#sluice.metric('sluice_ledger_end_offset'));
    const text = commands
      .replaceAll('http://127.0.0.1:8080', this.#sluice.url)
      .replaceAll('sk_...', this.#key)
      .replaceAll('--history-port 8125', '--history-port 0');
    const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
    const options = { cwd: this.#folder, env: { PATH: path, HOME: this.#folder, KEY: this.#key }, timeout: 100_000 };
    return new Promise((resolve) => {
      execFile('bash', ['-e', '-c', text], options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ exitCode, output: stdout + stderr });
      });
    });
  }

  /** Ctrl-C; resolves to Sluice's exit code. */
  async stop(): Promise<number | null> {
    const exitCode = await this.#sluice.interrupt();
    rmSync(this.#folder, { recursive: true, force: true });
    return exitCode;
  }
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`config/default/sluice.yaml has no "${from}" any more`);
  writeFileSync(file, text.replace(from, to));
}

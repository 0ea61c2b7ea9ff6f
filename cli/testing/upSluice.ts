import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HistoryReader } from '../historyReader.ts';
import type { LogLine, SluiceProcess } from './spawnSluice.ts';

const POLL_MS = 50;
const CATCH_UP_TIMEOUT_MS = 60_000;

/** A running `sluice up` whose addresses are known. */
export class UpSluice {
  readonly process: SluiceProcess;
  readonly url: string;
  readonly historyUrl: string;
  readonly #dataDir: string;

  private constructor(process: SluiceProcess, ready: LogLine, dataDir: string) {
    this.process = process;
    this.url = String(ready['url']);
    this.historyUrl = String(ready['history']);
    this.#dataDir = dataDir;
  }

  static async ready(process: SluiceProcess, dataDir: string): Promise<UpSluice> {
    return new UpSluice(process, await process.logged('ready'), dataDir);
  }

  /** Of the embedded ClickHouse, as of its last start. */
  get historyPid(): number {
    const line = this.process.log().findLast(({ msg }) => msg === 'embedded ClickHouse is up');
    return Number(line?.['pid']);
  }

  /** `sluice_rejected_total{code="X"}` and the like; 0 while there is no such series. */
  async metric(series: string): Promise<number> {
    const line = (await this.metrics()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  /** Resolves when history has every ledger record that is there now, ticks aside. */
  async historyCaughtUp(endOffset: number): Promise<void> {
    const deadlineMs = performance.now() + CATCH_UP_TIMEOUT_MS;
    while ((await this.metric('sluice_history_offset')) < endOffset) {
      if (performance.now() > deadlineMs)
        throw new Error(`history did not reach ${endOffset}:\n${this.process.output}`);
      await sleep(POLL_MS);
    }
  }

  async historyRows(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const password = readFileSync(join(this.#dataDir, 'analyst.password'), 'utf8').trim();
    const reader = new HistoryReader({ url: this.historyUrl, username: 'analyst', password });
    try {
      return await reader.rows(query);
    } finally {
      await reader.close();
    }
  }

  /** Ctrl-C; resolves to the exit code. */
  async interrupt(): Promise<number | null> {
    this.process.kill('SIGINT');
    return (await this.process.ended).exitCode;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.process.ended;
  }
}

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { createApiKey } from '../infra/http/apiKeys.ts';
import { runSluice, SluiceProcess } from './sluiceProcess.ts';

const SECOND_MS = 1_000;

/** `sluice up` with embedded history as a process of its own, on a copy of a deployment that lets the load source in. */
export class UpDeployment {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly #process: SluiceProcess;
  readonly #dataDir: string;

  private constructor(process: SluiceProcess, baseUrl: string, apiKey: string, dataDir: string) {
    this.#process = process;
    this.baseUrl = baseUrl;
    this.apiKey = apiKey;
    this.#dataDir = dataDir;
  }

  /** Ready for payments; its copy and its data lie in `folder`. `deadline` is put in place of the deployment's own. */
  static async start(from: string, folder: string, deadline?: string): Promise<UpDeployment> {
    const { key, sha256 } = createApiKey();
    const config = deploymentWithKey(from, join(folder, 'config'), sha256, deadline);
    const dataDir = join(folder, 'data');
    const ports = ['--port', '0', '--history-port', '0'];
    const process = new SluiceProcess(['up', '--config', config, '--data', dataDir, ...ports]);
    try {
      return new UpDeployment(process, await process.untilLogged(readyUrl), key, dataDir);
    } catch (error) {
      process.signal('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  kill(): void {
    this.#process.signal('SIGKILL');
  }

  /** Resolves to the seconds that Ctrl-C takes. */
  async stop(): Promise<number> {
    const startMs = performance.now();
    this.#process.signal('SIGINT');
    const code = await this.#process.exited;
    if (code !== 0) throw new Error(`sluice up ended with ${String(code)} after Ctrl-C: ${this.#process.lastErrors}`);
    return (performance.now() - startMs) / SECOND_MS;
  }

  /** Replays what it decided: every decision must come out again, and there must be no fewer than were told. Resolves to their number. */
  async verify(acknowledged: number): Promise<number> {
    const report = await runSluice(['replay', '--verify', '--json', '--data', this.#dataDir]);
    const replay = replaySchema.parse(JSON.parse(report));
    if (replay.different > 0 || replay.equal < acknowledged)
      throw new Error(`the replay differs: ${JSON.stringify(replay)}, acknowledged ${String(acknowledged)}`);
    return replay.equal;
  }
}

const readySchema = z.object({ msg: z.literal('ready'), url: z.string() });

function readyUrl(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const parsed = readySchema.safeParse(JSON.parse(line));
  return parsed.success ? parsed.data.url : undefined;
}

const replaySchema = z.object({
  decisions: z.number(),
  equal: z.number(),
  different: z.number(),
  undecided: z.number(),
});

/** A copy of the deployment that lets the load source in. */
function deploymentWithKey(from: string, to: string, sha256: string, deadline: string | undefined): string {
  cpSync(from, to, { recursive: true });
  const file = join(to, 'sluice.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.set('apiKeys', [{ id: 'bench', sha256, role: 'operator' }]);
  if (deadline !== undefined) document.setIn(['fallback', 'deadline'], deadline);
  writeFileSync(file, document.toString());
  return to;
}

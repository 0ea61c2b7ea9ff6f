import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';
import { createApiKey } from '../../infra/http/apiKeys.ts';
import { LmdbStoredRows } from '../../infra/lmdb/lmdbStoredRows.ts';
import { openLmdb } from '../../infra/lmdb/openLmdb.ts';
import { verifyStores } from '../../pipeline/chain/verifyStores.ts';
import { verifyReplay } from '../../pipeline/replay.ts';
import type { SmallDisk } from './smallDisk.ts';
import { killSpawned, spawnSluice, type SluiceProcess } from './spawnSluice.ts';
import { UpSluice } from './upSluice.ts';

const DEFAULT_CONFIG = fileURLToPath(new URL('../../config/default', import.meta.url));

export interface TestDeploymentOptions {
  /** Replacements in sluice.yaml: each text must be there. */
  readonly replace?: readonly (readonly [from: string, to: string])[];
  /** Where the data folder goes; unmounted after the test. Default: beside the configuration. */
  readonly disk?: SmallDisk;
}

/** Ports are free ones by default. */
interface UpOptions {
  readonly port?: number;
  readonly historyPort?: number;
  readonly history?: boolean;
}

/**
 * config/default with one gateway and one operator key, copied to a temporary folder beside a data folder. After the test
 * every program on it is ended, its ledger is replayed and compared with the stored decisions, and the folders removed.
 */
export class TestDeployment {
  readonly configDir: string;
  readonly dataDir: string;
  readonly gatewayKey: string;
  readonly operatorKey: string;
  readonly #folder: string;
  readonly #disk: SmallDisk | undefined;

  constructor(options: TestDeploymentOptions = {}) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
    this.configDir = join(this.#folder, 'config');
    this.#disk = options.disk;
    this.dataDir = join(options.disk?.folder ?? this.#folder, 'data');
    cpSync(DEFAULT_CONFIG, this.configDir, { recursive: true });
    const gateway = createApiKey();
    const operator = createApiKey();
    this.gatewayKey = gateway.key;
    this.operatorKey = operator.key;
    const entries = [
      `- { id: gateway, sha256: ${gateway.sha256}, role: gateway }`,
      `- { id: operator, sha256: ${operator.sha256}, role: operator }`,
    ];
    this.#edit('apiKeys: []', `apiKeys:\n  ${entries.join('\n  ')}`);
    for (const [from, to] of options.replace ?? []) this.#edit(from, to);
    deployments.add(this);
  }

  /** `sluice up` on this deployment, without waiting. */
  spawnUp(options: UpOptions = {}): SluiceProcess {
    const { port = 0, historyPort = 0, history = true } = options;
    return spawnSluice([
      'up',
      ...['--config', this.configDir, '--data', this.dataDir],
      ...['--port', String(port), '--history-port', String(historyPort)],
      ...(history ? [] : ['--no-history']),
    ]);
  }

  /** `sluice up`, ready for payments. */
  async up(options: UpOptions = {}): Promise<UpSluice> {
    return UpSluice.ready(this.spawnUp(options), this.dataDir);
  }

  /** The ledger again from its start: every decision must come out byte for byte as it is stored, and be sealed as it is. */
  async verify(): Promise<void> {
    if (!existsSync(join(this.dataDir, 'decisions', 'data.mdb'))) return;
    const data = openLmdb(this.dataDir, { readOnly: true });
    try {
      expect(await verifyReplay(data)).toMatchObject({ different: 0, differences: [] });
    } finally {
      await data.close();
    }
    const rows = new LmdbStoredRows(this.dataDir);
    try {
      const report = await verifyStores({ rows, history: null }, { anchors: [], onProgress: () => undefined });
      expect(report).toMatchObject({ totalFindings: 0, findings: [] });
    } finally {
      await rows.close();
    }
  }

  remove(): void {
    this.#disk?.unmount();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #edit(from: string, to: string): void {
    const file = join(this.configDir, 'sluice.yaml');
    const text = readFileSync(file, 'utf8');
    if (!text.includes(from)) throw new Error(`config/default/sluice.yaml has no "${from}" any more`);
    writeFileSync(file, text.replace(from, to));
  }
}

const deployments = new Set<TestDeployment>();

afterEach(async () => {
  await killSpawned();
  for (const deployment of deployments) {
    deployments.delete(deployment);
    try {
      await deployment.verify();
    } finally {
      deployment.remove();
    }
  }
});

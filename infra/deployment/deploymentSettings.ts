import type { FiringLimits } from '../../pipeline/engine/firingWatch.ts';
import type { ReviewSettings } from '../../pipeline/backtest/reviewSettings.ts';
import type { OverloadSettings } from '../../pipeline/engine/overloadGuard.ts';
import type { IngestSettings } from '../../pipeline/ingest/ingestContext.ts';
import type { ApiKey } from '../http/apiKeys.ts';
import type { HttpSettings } from '../http/httpSettings.ts';

/** How a deployment runs: what sluice.yaml says beside what decides. Durations in milliseconds. */
export interface DeploymentSettings {
  readonly http: HttpSettings;
  readonly apiKeys: readonly ApiKey[];
  readonly ingest: IngestSettings;
  readonly engine: EngineSettings;
  readonly firingLimits: FiringLimits;
  readonly history: HistorySettings;
  readonly snapshots: SnapshotSettings;
  readonly review: ReviewSettings;
}

export interface EngineSettings {
  /** Payments decided in one batch. */
  readonly maxBatch: number;
  readonly overload: OverloadSettings;
  /** A tick is written when no record came for so long. */
  readonly tickMs: number;
}

export interface HistorySettings {
  /** The engine that comes with Sluice, or a ClickHouse server (its password comes from SLUICE_CLICKHOUSE_PASSWORD). */
  readonly server:
    | { readonly kind: 'embedded'; /** 0: any free port. */ readonly port: number }
    | { readonly kind: 'url'; readonly url: string; readonly username: string | null };
  /** Ledger records written in one go. */
  readonly batchRecords: number;
}

export interface SnapshotSettings {
  readonly enabled: boolean;
  /** From one snapshot to the next, where records come. */
  readonly everyMs: number;
  /** So many records since the last one, and the next is taken before its time. */
  readonly records: number;
  /** The newest so many are kept. */
  readonly keep: number;
}

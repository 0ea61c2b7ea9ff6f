import { z } from 'zod';
import { letThroughSchema, listEntitySchema, ruleGroupFileSchema } from '../../operators/configurationSchema.ts';
import type { ListDefinition, PolicyDefinition } from '../../operators/definitions.ts';
import { DEFAULT_HTTP_SETTINGS } from '../http/httpSettings.ts';
import type { DeploymentSettings, HistorySettings } from './deploymentSettings.ts';
import { duration } from './duration.ts';

const score = z.int().min(1).max(1001);
const thresholds = z.strictObject({ challenge: score, review: score, decline: score });
const text = z.strictObject({ en: z.string().min(1), zh: z.string().min(1) });
const bytes = z.int().min(1_024).max(1_073_741_824);

export const listEntrySchema: z.ZodType<ListDefinition> = z.strictObject({
  name: z.string(),
  kind: z.enum(['block', 'allow', 'watch']),
  entity: listEntitySchema,
  hashed: z.literal('sha256').exactOptional(),
  text,
});

export const policySchema: z.ZodType<PolicyDefinition> = z.strictObject({
  maxReasons: z.int().min(1).max(20),
  thresholds: z.strictObject({ normal: thresholds, elevated: thresholds, lockdown: thresholds }),
  ruleGroups: z.array(ruleGroupFileSchema).exactOptional(),
  letThrough: letThroughSchema.exactOptional(),
});

const http = z
  .strictObject({
    host: z.string().min(1).default(DEFAULT_HTTP_SETTINGS.host),
    port: z.int().min(0).max(65_535).default(DEFAULT_HTTP_SETTINGS.port),
    requireKeys: z.boolean().default(DEFAULT_HTTP_SETTINGS.requireKeys),
    maxBodyBytes: bytes.default(DEFAULT_HTTP_SETTINGS.maxBodyBytes),
    maxBatchBytes: bytes.default(DEFAULT_HTTP_SETTINGS.maxBatchBytes),
    maxBatch: z.int().min(1).max(10_000).default(DEFAULT_HTTP_SETTINGS.maxBatch),
    maxInFlight: z.int().min(1).max(100_000).default(DEFAULT_HTTP_SETTINGS.maxInFlight),
    maxConnections: z.int().min(1).max(100_000).default(DEFAULT_HTTP_SETTINGS.maxConnections),
  })
  .prefault({})
  .transform((given) => ({ ...DEFAULT_HTTP_SETTINGS, ...given }));

const apiKey = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, hyphens and underscores'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits that `sluice key` printed, not the key itself'),
  role: z.enum(['gateway', 'analyst', 'alerting', 'operator']),
});

const apiKeys = z
  .array(apiKey)
  .max(1_000)
  .default([])
  .superRefine((keys, context) => {
    for (const [index, { id, sha256 }] of keys.entries()) {
      if (keys.findIndex((key) => key.id === id) !== index)
        context.addIssue({ code: 'custom', path: [index, 'id'], message: 'is used by an earlier key' });
      if (keys.findIndex((key) => key.sha256 === sha256) !== index)
        context.addIssue({ code: 'custom', path: [index, 'sha256'], message: 'is the hash of an earlier key' });
    }
  });

const fallback = z
  .strictObject({
    verdict: z.enum(['approve', 'challenge', 'review', 'decline']).default('review'),
    deadline: duration({ atLeast: '5ms', atMost: '60s' }).prefault('100ms'),
  })
  .prefault({});

const input = z
  .strictObject({
    maxFuture: duration({ atMost: '7d' }).prefault('10m'),
    maxPast: duration({ atLeast: '1m' }).prefault('7d'),
    maxPending: z.int().min(1).max(1_000_000).default(5_000),
  })
  .prefault({});

const engine = z
  .strictObject({
    maxBatch: z.int().min(1).max(4_096).default(64),
    degradeAtLag: z.int().min(1).default(2_000),
    restoreAtLag: z.int().min(0).default(100),
    minInterval: duration({ atLeast: '10ms' }).prefault('1s'),
    tick: duration({ atLeast: '100ms', atMost: '1h' }).prefault('1s'),
  })
  .refine(({ degradeAtLag, restoreAtLag }) => restoreAtLag < degradeAtLag, {
    path: ['restoreAtLag'],
    error: 'must be less than degradeAtLag',
  })
  .prefault({});

const firingLimits = z
  .strictObject({
    times: z.number().min(2).max(10_000).default(20),
    minFirings: z.int().min(1).max(1_000_000).default(20),
    demote: z.boolean().default(false),
  })
  .prefault({});

const history = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be an address such as http://clickhouse:8123' }).optional(),
    username: z.string().min(1).optional(),
    embedded: z.strictObject({ port: z.int().min(0).max(65_535).default(8123) }).optional(),
    batchRecords: z.int().min(1).max(1_000_000).default(5_000),
  })
  .refine(({ url, embedded }) => url === undefined || embedded === undefined, {
    path: ['embedded'],
    error: 'cannot be set together with url: history is either here or on a server',
  })
  .refine(({ url, username }) => username === undefined || url !== undefined, {
    path: ['username'],
    error: 'needs a url',
  })
  .prefault({})
  .transform(({ url, username, embedded, batchRecords }): HistorySettings => ({
    server:
      url === undefined
        ? { kind: 'embedded', port: embedded?.port ?? 8123 }
        : { kind: 'url', url, username: username ?? null },
    batchRecords,
  }));

const publication = z.strictObject({ approvals: z.union([z.literal(0), z.literal(1)]).default(0) }).prefault({});

const snapshots = z
  .strictObject({
    enabled: z.boolean().default(true),
    every: duration({ atLeast: '1s', atMost: '7d' }).prefault('10m'),
    records: z.int().min(1).default(500_000),
    keep: z.int().min(1).max(100).default(3),
  })
  .prefault({});

const review = z
  .strictObject({
    capacityPerDay: z.int().min(1).max(100_000_000).nullable().default(null),
    alertVerdicts: z
      .array(z.enum(['review', 'challenge']))
      .min(1)
      .refine((verdicts) => new Set(verdicts).size === verdicts.length, 'names a verdict twice')
      .default(['review']),
  })
  .prefault({});

/** sluice.yaml, but for its lists and policy: those are checked one by one, so that each is reported by itself. */
export const sluiceFileSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 lower-case letters, digits and hyphens'),
    ruleSetVersion: z.coerce.string(),
    lateness: duration({ atMost: '1d' }).prefault('0s'),
    recentIds: z.int().min(1).default(1_000_000),
    policy: z.unknown(),
    lists: z.array(z.unknown()).default([]),
    fallback,
    input,
    http,
    apiKeys,
    engine,
    firingLimits,
    history,
    snapshots,
    review,
    publication,
  })
  .refine(({ publication: { approvals }, http: { requireKeys } }) => approvals === 0 || requireKeys, {
    path: ['publication', 'approvals'],
    error: 'needs http.requireKeys: without keys nobody can be told from anybody else',
  })
  .transform((file) => ({
    name: file.name,
    ruleSetVersion: file.ruleSetVersion,
    latenessMs: file.lateness,
    recentIds: file.recentIds,
    approvals: file.publication.approvals,
    settings: {
      http: file.http,
      apiKeys: file.apiKeys,
      ingest: {
        deadlineMs: file.fallback.deadline,
        fallbackVerdict: file.fallback.verdict,
        maxFutureMs: file.input.maxFuture,
        maxPastMs: file.input.maxPast,
        maxPending: file.input.maxPending,
      },
      engine: {
        maxBatch: file.engine.maxBatch,
        overload: {
          degradeAtRecords: file.engine.degradeAtLag,
          restoreAtRecords: file.engine.restoreAtLag,
          minIntervalMs: file.engine.minInterval,
          slowBatchMs: file.fallback.deadline / 2,
        },
        tickMs: file.engine.tick,
      },
      firingLimits: file.firingLimits,
      history: file.history,
      snapshots: {
        enabled: file.snapshots.enabled,
        everyMs: file.snapshots.every,
        records: file.snapshots.records,
        keep: file.snapshots.keep,
      },
      review: file.review,
    } satisfies DeploymentSettings,
  }));

export type SluiceFile = z.infer<typeof sluiceFileSchema>;

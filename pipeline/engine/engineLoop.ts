import { setImmediate } from 'node:timers/promises';
import type { Degradation, RiskLevel } from '../../schemas/types.ts';
import type { Ledger, Telemetry } from '../ports.ts';
import type { Publisher } from '../publish.ts';
import type { Engine } from './engine.ts';

export interface EngineLoopServices {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly telemetry: Telemetry;
  /** The engine begins with records; it has decided the payments among them. */
  readonly onTaking: () => void;
  readonly onDecided: (payments: number) => void;
  /**
   * Everything below `nextOffset` is decided and handed to the publisher. The last of it took the engine `durationMs`.
   */
  readonly onTaken: (nextOffset: number, durationMs: number) => Promise<void>;
}

/** Records taken from the ledger at once: bounds how long the event loop is held while catching up. */
const MAX_RECORDS = 256;

/** As the metrics count them. */
const RISK_LEVELS: readonly RiskLevel[] = ['normal', 'elevated', 'lockdown'];
const DEGRADATIONS: readonly Degradation[] = ['full', 'noModel', 'rulesOnly'];

/**
 * The engine's only caller: tails the ledger from the start and publishes what the engine decides. Ends when the signal aborts;
 * rejects when a decision cannot be made or stored, since going on would leave a payment without its verdict.
 */
export async function runEngineLoop(services: EngineLoopServices, signal: AbortSignal): Promise<void> {
  const { engine, ledger, publisher, telemetry } = services;
  for await (const rows of ledger.tail(engine.nextOffset, { maxRecords: MAX_RECORDS, signal })) {
    const startMs = performance.now();
    services.onTaking();
    const outputs = await engine.process(rows);
    const durationMs = performance.now() - startMs;
    services.onDecided(outputs.length);
    telemetry.stage('decide', durationMs);
    await publisher.publish(rows, outputs);
    telemetry.gauge('engineOffset', engine.nextOffset);
    telemetry.gauge('ledgerEndOffset', ledger.endOffset());
    telemetry.gauge('engineLagRecords', ledger.endOffset() - engine.nextOffset);
    telemetry.gauge('featureKeys', engine.features?.keyCount ?? 0);
    telemetry.gauge('refusedIds', engine.refusedIds);
    const timeMs = engine.features?.timeMs ?? 0;
    telemetry.gauge('riskLevel', RISK_LEVELS.indexOf(engine.posture.riskLevel(timeMs)));
    telemetry.gauge('degradation', DEGRADATIONS.indexOf(engine.posture.degradation(timeMs)));
    telemetry.gauge('listEntries', engine.lists.size);
    telemetry.gauge('listBytes', engine.lists.byteLength);
    await services.onTaken(engine.nextOffset, durationMs);
    // A full batch means that more is waiting: let requests and timers have their turn.
    if (rows.length === MAX_RECORDS) await setImmediate();
  }
  await publisher.drain();
}

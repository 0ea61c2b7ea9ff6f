import type { CompiledConfiguration } from '../../../operators/configuration.ts';
import { Engine } from '../../../pipeline/engine/engine.ts';
import { PortEngineServices } from '../../../pipeline/engine/engineServices.ts';
import { featureColumns } from '../../../pipeline/featureColumns.ts';
import type { HistoryRecord } from '../../../pipeline/ports.ts';
import { MemoryDecisionStore } from '../../../pipeline/testing/memoryDecisionStore.ts';
import { MemoryLedger } from '../../../pipeline/testing/memoryLedger.ts';
import { MemoryModelStore } from '../../../pipeline/testing/memoryModelStore.ts';
import { encodeLedgerRecord } from '../../../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../../../schemas/ledgerEvent.ts';
import type { Decision } from '../../../schemas/types.ts';
import type { DeploymentModel } from '../../deployment/loadModel.ts';
import type { ClickHouseHistory } from '../history.ts';

/** Events of a ledger in order; each one's time is when it came. */
export class DecidedLedger {
  readonly #events: readonly LedgerEvent[];
  readonly #model: DeploymentModel;

  constructor(events: readonly LedgerEvent[], model: DeploymentModel) {
    this.#events = events;
    this.#model = model;
  }

  /**
   * What an engine decides on every payment, by ledger offset; where a configuration is given, as if it had been published wherever
   * one was.
   */
  async decide(instead: CompiledConfiguration | null): Promise<ReadonlyMap<number, Decision>> {
    const ledger = new MemoryLedger();
    const models = new MemoryModelStore();
    await models.put(this.#model.metadata.sha256, Buffer.from(this.#model.onnx));
    const events = this.#events.map((event) =>
      event.kind === 'ruleSetPublication' && instead !== null ? publicationOf(instead, event.event.eventTimeMs) : event,
    );
    await ledger.append(events.map((event) => encodeLedgerRecord(event, event.event.eventTimeMs, 'test')));
    const engine = new Engine(new PortEngineServices(ledger, new MemoryDecisionStore(), models), {
      maxBatch: 64,
      decidedThrough: -1,
    });
    const decisions = new Map<number, Decision>();
    while (engine.nextOffset < events.length)
      for (const { decision } of await engine.process(await ledger.read(engine.nextOffset, 512)))
        decisions.set(decision.ledgerOffset, decision);
    await engine.scorer?.close();
    engine.close();
    return decisions;
  }

  /** Writes the ledger and these decisions into the history. */
  async write(history: ClickHouseHistory, decisions: ReadonlyMap<number, Decision>): Promise<void> {
    const records = this.#events.map((event, offset): HistoryRecord => {
      const value = encodeLedgerRecord(event, event.event.eventTimeMs, 'test');
      const ingestTimeMs = event.event.eventTimeMs;
      return {
        offset,
        ingestTimeMs,
        source: 'test',
        event,
        value,
        decision: decisions.get(offset) ?? null,
        seal: null,
      };
    });
    const columns = this.#events.flatMap((event) =>
      event.kind === 'ruleSetPublication' ? (featureColumns(event.event.content) ?? []) : [],
    );
    await history.prepare(columns);
    await history.write({ fromOffset: 0, toOffset: records.length, records });
  }
}

export function publicationOf(
  { definition, sha256, canonicalJson }: CompiledConfiguration,
  eventTimeMs: number,
): LedgerEvent {
  const event = { eventTimeMs, version: definition.ruleSetVersion, sha256, author: 'test', reason: '' };
  const step = { step: 'publish', replaces: '', proposalOffset: null } as const;
  return { kind: 'ruleSetPublication', event: { ...event, ...step, content: canonicalJson } };
}

import { setImmediate } from 'node:timers/promises';
import { Scorer } from '../../models/scorer.ts';
import { modelMetadataSchema } from '../../models/modelPackage.ts';
import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { MemoryStorage, type ReservoirStorage } from '../../operators/features/blockStore.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { codecs } from '../../schemas/codec.ts';
import type { Decision, ModelPromotion } from '../../schemas/types.ts';
import type { DecisionStore, Ledger, ModelStore } from '../ports.ts';
import { Engine, type EngineServices } from './engine.ts';

const READ_RECORDS = 1024;

/** The engine's services on the ports: models by their hash, feature state rebuilt from the ledger. */
export class PortEngineServices implements EngineServices {
  readonly #ledger: Ledger;
  readonly #decisions: DecisionStore;
  readonly #models: ModelStore;
  readonly #openReservoir: () => ReservoirStorage;

  /** `openReservoir` gives each feature state the place of the events that it does not keep in memory. */
  constructor(
    ledger: Ledger,
    decisions: DecisionStore,
    models: ModelStore,
    openReservoir: () => ReservoirStorage = () => new MemoryStorage(),
  ) {
    this.#ledger = ledger;
    this.#decisions = decisions;
    this.#models = models;
    this.#openReservoir = openReservoir;
  }

  async loadModel(promotion: ModelPromotion): Promise<Scorer> {
    const metadata = modelMetadataSchema.parse(JSON.parse(promotion.metadata));
    const model = await this.#models.get(promotion.sha256);
    if (model === undefined) {
      throw new Error(
        `SLUICE_MODEL_MISSING: the model store has no file with SHA-256 ${promotion.sha256} ` +
          `(${promotion.modelId ?? ''} ${promotion.version}); put that model.onnx back into the data folder's models/`,
      );
    }
    return Scorer.load(metadata, model);
  }

  createFeatures(catalogue: CompiledCatalogue): FeatureState {
    return createFeatureState(catalogue, {}, this.#openReservoir());
  }

  async buildFeatures(catalogue: CompiledCatalogue, offset: number): Promise<FeatureState> {
    const features = this.createFeatures(catalogue);
    const engine = new Engine(this, { maxBatch: 1, decidedThrough: Infinity, featuresOnly: features });
    while (engine.nextOffset < offset) {
      const rows = await this.#ledger.read(engine.nextOffset, Math.min(READ_RECORDS, offset - engine.nextOffset));
      await engine.process(rows);
      // Thousands of records: health checks must have their turn.
      await setImmediate();
    }
    return features;
  }

  async storedDecision(ledgerOffset: number): Promise<Decision> {
    const stored = await this.#decisions.get(ledgerOffset);
    if (stored === undefined) throw new Error(`no decision is stored for offset ${String(ledgerOffset)}`);
    return codecs.decision.decode(stored);
  }
}

import { Scorer } from '../../models/scorer.ts';
import { readModelMetadata } from '../../models/modelPackage.ts';
import type { CompiledConfiguration } from '../../operators/configuration.ts';
import type { CompiledCatalogue } from '../../operators/features/catalogue.ts';
import { MemoryStorage, type ReservoirStorage } from '../../operators/features/blockStore.ts';
import { createFeatureState } from '../../operators/features/createFeatureState.ts';
import type { FeatureState } from '../../operators/features/featureState.ts';
import { codecs } from '../../schemas/codec.ts';
import type { Decision, ModelPromotion } from '../../schemas/types.ts';
import type { DecisionStore, Ledger, ModelStore } from '../ports.ts';
import { advanceEngine } from './advanceEngine.ts';
import type { Engine, EngineServices } from './engine.ts';
import { featuresOnlyEngine } from './featureBackfill.ts';

/** What is made ahead of a publication. It saves time and changes no value. */
export interface PreparedPublication {
  readonly configuration: CompiledConfiguration;
  /** That has advanced the catalogue's features so far; null where none was built. */
  readonly engine: Engine | null;
}

interface PreparedFeatures {
  readonly engine: Engine;
  readonly features: FeatureState;
}

/** The engine's services on the ports: models by their hash, feature state rebuilt from the ledger. */
export class PortEngineServices implements EngineServices {
  readonly #ledger: Ledger;
  readonly #decisions: DecisionStore;
  readonly #models: ModelStore;
  readonly #openReservoir: () => ReservoirStorage;
  #prepared: PreparedPublication | null = null;

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
    const metadata = readModelMetadata(promotion.metadata);
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

  /** Keeps what was made ahead of the one publication that is to come; null forgets it. */
  prepare(publication: PreparedPublication | null): void {
    this.#prepared?.engine?.close();
    this.#prepared = publication;
  }

  compiled(content: string): CompiledConfiguration | null {
    const configuration = this.#prepared?.configuration ?? null;
    return configuration?.canonicalJson === content ? configuration : null;
  }

  async buildFeatures(catalogue: CompiledCatalogue, offset: number): Promise<FeatureState> {
    const { engine, features } = this.#takePrepared(catalogue, offset) ?? this.#fromStart(catalogue);
    await advanceEngine(engine, this.#ledger, offset);
    return features;
  }

  /** The engine built ahead, if it is of this catalogue and no record too far; it is given away. */
  #takePrepared(catalogue: CompiledCatalogue, offset: number): PreparedFeatures | null {
    const engine = this.#prepared?.engine ?? null;
    const features = engine?.features ?? null;
    this.#prepared = null;
    if (engine === null || features === null) return null;
    if (features.catalogue.sha256 === catalogue.sha256 && engine.nextOffset <= offset) return { engine, features };
    engine.close();
    return null;
  }

  #fromStart(catalogue: CompiledCatalogue): PreparedFeatures {
    const features = this.createFeatures(catalogue);
    return { engine: featuresOnlyEngine(features), features };
  }

  async storedDecision(ledgerOffset: number): Promise<Decision> {
    const stored = await this.#decisions.get(ledgerOffset);
    if (stored === undefined) throw new Error(`no decision is stored for offset ${String(ledgerOffset)}`);
    return codecs.decision.decode(stored);
  }
}

import { setImmediate } from 'node:timers/promises';
import { configurationSteps, parseConfiguration, type CompiledConfiguration } from '../operators/configuration.ts';
import type { CompiledCatalogue } from '../operators/features/catalogue.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import { scoresCatalogue, type ModelMetadata } from '../models/modelPackage.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import type { Checked } from '../operators/definitions.ts';
import type { Engine } from './engine/engine.ts';
import type { PreparedPublication } from './engine/engineServices.ts';
import { featuresOnlyEngine } from './engine/featureBackfill.ts';
import type { PublicationRequest, PublicationState, Refusal } from './gateway.ts';
import { LoopHolds } from './loopHolds.ts';
import type { BackfillRun, BackfillRunner, Clock, LedgerRow } from './ports.ts';

export interface PublicationServices {
  /** Null where nothing can be built aside: the engine then builds a new catalogue's state when it comes to the record. */
  readonly backfill: BackfillRunner | null;
  readonly clock: Clock;
  append(event: LedgerEvent): Promise<number>;
  endOffset(): number;
  read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]>;
  /** What is in force. */
  configuration(): CompiledConfiguration | null;
  model(): ModelMetadata | null;
  /** An empty feature state, as the engine's. */
  createFeatures(catalogue: CompiledCatalogue): FeatureState;
  /** Gives the engine what it needs for the configuration that is about to be published; null takes it back. */
  prepare(publication: PreparedPublication | null): void;
}

/** Records behind the ledger's end at which a state built aside is taken over: what is then made up for at once. */
const NEARLY_CAUGHT_UP_RECORDS = 64;
const LOOK_MS = 20;
/** Whoever asked for a publication is gone when nobody has asked for its progress for so long: it is given up. */
export const ABANDONED_AFTER_MS = 30_000;

/**
 * Publishes configurations to a running deployment, one at a time. One with another catalogue has that catalogue's state built
 * first, from the ledger and aside, while decisions go on under the old one; then the record is appended, and the engine
 * changes over at its offset. So a new feature is exact from its first use, and no payment waits for it.
 */
export class Publications {
  readonly #services: PublicationServices;
  #state: PublicationState = NONE;
  /** Of the publication that was asked for last. */
  #holds = new LoopHolds();
  #isChecking = false;
  #isAppending = false;
  /** The engine's offset. */
  #takenOffset = 0;
  #run: BackfillRun | null = null;
  #working: Promise<void> = Promise.resolve();
  #ending = new AbortController();
  #askedMs = 0;

  constructor(services: PublicationServices) {
    this.#services = services;
  }

  /** Checks the configuration and starts to publish it; `ask` tells the rest. */
  async request(request: PublicationRequest, author: string): Promise<Refusal | null> {
    const { stage } = this.#current();
    if (this.#isChecking || stage === 'backfilling' || stage === 'publishing') {
      const message = this.#isChecking
        ? 'another is being checked'
        : `version ${this.#state.version ?? ''} is being published`;
      return { code: 'SLUICE_PUBLICATION_BUSY', field: null, message };
    }
    this.#isChecking = true;
    const holds = new LoopHolds();
    this.#ending = new AbortController();
    const compiled = await compileInTurns(request.content, holds).finally(() => {
      this.#isChecking = false;
    });
    const inForce = this.#services.configuration();
    if (request.replaces !== null && request.replaces !== inForce?.sha256) {
      const message = `another configuration is in force than the one this was made from: version ${inForce?.definition.ruleSetVersion ?? ''}; make the change from that one, or start Sluice with yours first`;
      return { code: 'SLUICE_PUBLICATION_BASE', field: 'replaces', message };
    }
    if (!compiled.ok) {
      const [problem] = compiled.problems;
      const field = problem === undefined ? 'content' : [problem.section, ...problem.path].join('.');
      return {
        code: problem?.code ?? 'SLUICE_CONFIGURATION_SHAPE',
        field,
        message: problem?.message ?? 'is not usable',
      };
    }
    const configuration = compiled.value;
    if (inForce?.sha256 === configuration.sha256) {
      const message = 'this configuration is in force already';
      return { code: 'SLUICE_PUBLICATION_UNCHANGED', field: 'content', message };
    }
    const modelRefusal = this.#modelRefusal(configuration, inForce);
    if (modelRefusal !== null) return modelRefusal;
    this.#holds = holds;
    this.#state = { ...NONE, stage: 'publishing', version: configuration.definition.ruleSetVersion };
    this.#askedMs = performance.now();
    this.#working = this.#publish(configuration, request, author, inForce).catch((error: unknown) => {
      this.#state = { ...this.#state, stage: 'failed', error: messageOf(error) };
    });
    return null;
  }

  /** How far it is, told to the one who asked for it. */
  ask(): PublicationState {
    this.#askedMs = performance.now();
    return this.#current();
  }

  /** The engine has taken all below `nextOffset`, the last of it in so long. */
  taken(nextOffset: number, durationMs: number): void {
    if (this.#isAppending || this.#isComing) this.#holds.note(durationMs);
    this.#takenOffset = nextOffset;
  }

  /** Gives up what is not in the ledger yet. */
  cancel(): PublicationState {
    this.#ending.abort(new Error('SLUICE_PUBLICATION_CANCELLED: it was given up'));
    return this.#current();
  }

  /** Ends what is under way; a publication not yet in the ledger is then none. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('SLUICE_PUBLICATION_CANCELLED: Sluice was stopped before the publication'));
    await this.#working;
  }

  /** In the ledger, but the engine has not come to it yet. */
  get #isComing(): boolean {
    const { stage, ledgerOffset } = this.#state;
    return stage === 'published' && ledgerOffset !== null && this.#takenOffset <= ledgerOffset;
  }

  #current(): PublicationState {
    const run = this.#run;
    const state = { ...this.#state, heldMs: this.#holds.longestMs };
    if (run !== null) return { ...state, doneRecords: run.nextOffset, totalRecords: this.#services.endOffset() };
    return this.#isComing ? { ...state, stage: 'publishing' } : state;
  }

  /** A model that scores goes on scoring: its features stay as they are, and first. */
  #modelRefusal({ catalogue }: CompiledConfiguration, inForce: CompiledConfiguration | null): Refusal | null {
    const model = this.#services.model();
    if (model === null || inForce === null) return null;
    if (!scoresCatalogue(model, inForce.catalogue) || scoresCatalogue(model, catalogue)) return null;
    const gone = model.inputs.find((name) => !catalogue.names.includes(name));
    const why =
      gone === undefined
        ? 'its features must stay as they are and come first'
        : `it reads the feature ${gone}, which would be gone`;
    const message = `the model ${model.id} ${model.version} could not score any more: ${why}`;
    return { code: 'SLUICE_MODEL_CATALOGUE', field: 'features', message };
  }

  async #publish(
    configuration: CompiledConfiguration,
    { reason }: PublicationRequest,
    author: string,
    inForce: CompiledConfiguration | null,
  ): Promise<void> {
    const services = this.#services;
    const { backfill } = services;
    this.#ending.signal.throwIfAborted();
    const isOther = inForce?.catalogue.sha256 !== configuration.catalogue.sha256;
    const engine = backfill !== null && isOther ? await this.#backfilled(backfill, configuration) : null;
    services.prepare({ configuration, engine });
    try {
      // From here on it can no longer be given up.
      this.#ending.signal.throwIfAborted();
      this.#isAppending = true;
      const ledgerOffset = await services.append({
        kind: 'ruleSetPublication',
        event: {
          eventTimeMs: services.clock(),
          version: configuration.definition.ruleSetVersion,
          sha256: configuration.sha256,
          content: configuration.canonicalJson,
          author,
          reason,
        },
      });
      this.#state = { ...this.#state, stage: 'published', ledgerOffset };
    } catch (error) {
      services.prepare(null);
      throw error;
    } finally {
      this.#isAppending = false;
    }
  }

  async #backfilled(backfill: BackfillRunner, configuration: CompiledConfiguration): Promise<Engine> {
    const engine = await this.#holds.time(() =>
      featuresOnlyEngine(this.#services.createFeatures(configuration.catalogue)),
    );
    try {
      await this.#takeOver(backfill.start(configuration.canonicalJson), engine);
      await this.#catchUp(engine);
      return engine;
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  async #takeOver(run: BackfillRun, engine: Engine): Promise<void> {
    this.#run = run;
    this.#state = { ...this.#state, stage: 'backfilling' };
    try {
      while (this.#services.endOffset() - run.nextOffset > NEARLY_CAUGHT_UP_RECORDS) {
        await Promise.race([new Promise((resolve) => setTimeout(resolve, LOOK_MS)), run.failed]);
        if (performance.now() - this.#askedMs > ABANDONED_AFTER_MS)
          throw new Error('SLUICE_PUBLICATION_CANCELLED: nobody asked for its progress any more');
        this.#ending.signal.throwIfAborted();
      }
      const saved = await run.handOver();
      await this.#holds.time(() => engine.load(saved));
      this.#state = { ...this.#current(), stage: 'publishing' };
    } finally {
      this.#run = null;
      await run.end();
    }
  }

  /** Makes up for what came during the hand-over, a few records at a time: payments have their turn in between. */
  async #catchUp(engine: Engine): Promise<void> {
    while (this.#services.endOffset() - engine.nextOffset > NEARLY_CAUGHT_UP_RECORDS) {
      const rows = await this.#services.read(engine.nextOffset, NEARLY_CAUGHT_UP_RECORDS);
      await this.#holds.time(() => engine.process(rows));
      await setImmediate();
      this.#ending.signal.throwIfAborted();
    }
  }
}

const NONE: PublicationState = {
  stage: 'none',
  version: null,
  ledgerOffset: null,
  doneRecords: 0,
  totalRecords: 0,
  heldMs: 0,
  error: null,
};

/** Compiling holds no decision up: it takes tens of milliseconds. */
async function compileInTurns(content: string, holds: LoopHolds): Promise<Checked<CompiledConfiguration>> {
  const parsed = await holds.time(() => parseConfiguration(content));
  return parsed.ok ? holds.inTurns(configurationSteps(parsed.value)) : parsed;
}

/** With its code, which tells the one who asked what to do. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code.startsWith('SLUICE_') ? `${code}: ${error.message}` : error.message;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ReservoirStorage } from '../operators/features/blockStore.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import { readModelMetadata, scoresCatalogue, type ModelMetadata } from '../models/modelPackage.ts';
import { encodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import type { Decision } from '../schemas/types.ts';
import { Backtests } from './backtest/backtests.ts';
import { PublicationGate, type OpenHistory } from './backtest/publicationGate.ts';
import type { ReviewSettings } from './backtest/reviewSettings.ts';
import { certify, knownToEngine } from './certificate.ts';
import { resumeChain } from './chain/sealChain.ts';
import { Engine } from './engine/engine.ts';
import { DEPLOYMENT_AUTHOR } from './engine/modelRoster.ts';
import { runEngineLoop } from './engine/engineLoop.ts';
import { PortEngineServices } from './engine/engineServices.ts';
import { StateReporter } from './engine/stateReporter.ts';
import { TakenOffset } from './engine/takenOffset.ts';
import type { FiringLimits } from './engine/firingWatch.ts';
import { FiringGuard } from './firingGuard.ts';
import { OverloadGuard, type OverloadSettings } from './engine/overloadGuard.ts';
import type { Gateway, PostureState, Readiness } from './gateway.ts';
import { Ingest, type EngineView } from './ingest.ts';
import type { IngestSettings } from './ingest/ingestContext.ts';
import { LADDER, OVERLOAD_AUTHOR } from './engine/postureState.ts';
import { whyFolderWaits } from './folderAtStart.ts';
import { GivenFallbacks } from './ingest/givenFallbacks.ts';
import { PendingVerdicts } from './ingest/pendingVerdicts.ts';
import { wallTimer } from './ingest/withDeadline.ts';
import { DecisionExplainer } from './decisionExplainer.ts';
import { ModelDesk } from './modelDesk.ts';
import { promotionRecord } from './promotionRecord.ts';
import { LedgerUnavailableError } from './ports.ts';
import type {
  BackfillRunner,
  Clock,
  DecisionStore,
  Ledger,
  LiveDecision,
  Logger,
  ModelStore,
  SnapshotStore,
  Telemetry,
  Timer,
} from './ports.ts';
import { publicationRecord } from './publicationRecord.ts';
import { Publications } from './publications.ts';
import { Publisher } from './publish.ts';
import { RuleSets } from './ruleSets.ts';
import { restoreEngine } from './snapshots/restoreEngine.ts';

export interface PipelinePorts {
  readonly ledger: Ledger;
  readonly decisions: DecisionStore;
  readonly models: ModelStore;
  /** Where each feature state keeps the events that it does not hold in memory; in memory all the same by default. */
  readonly openReservoir?: () => ReservoirStorage;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Of deadlines and further attempts; this machine's by default. */
  readonly timer?: Timer;
  readonly show: (decision: LiveDecision) => void;
  /** From which the engine starts when one can be used; null: from the ledger's start. */
  readonly snapshots: Pick<SnapshotStore, 'offsets' | 'header' | 'read'> | null;
  readonly logger: Logger;
  /** Null: the engine builds the state of a new catalogue itself when it comes to its publication. */
  readonly backfill: BackfillRunner | null;
  /** What asks the history, for backtests; by default there is none. */
  readonly openHistory?: OpenHistory;
}

/** What the deployment's folder says; published to the ledger when it is not what the ledger last says. */
export interface PipelineDeployment {
  readonly configuration: CompiledConfiguration;
  readonly model: { readonly metadata: ModelMetadata; readonly onnx: Uint8Array } | null;
}

export interface PipelineSettings {
  readonly ingest: IngestSettings;
  /** Payments decided in one batch. */
  readonly maxBatch: number;
  /** Null: never degrade by itself. */
  readonly overload: OverloadSettings | null;
  /** Null: nobody watches how often rules fire. */
  readonly firingLimits: FiringLimits | null;
  /** A tick is written when no record came for so long; null: no ticks (imports live in their file's time). */
  readonly tickMs: number | null;
  /** Key of the card tokens. */
  readonly cardKey: Uint8Array;
  /** What the review team takes on; by default nothing is declared. */
  readonly review?: ReviewSettings;
}

const NO_CAPACITY: ReviewSettings = { alertVerdicts: ['review'], capacityPerDay: null };
const CATCH_UP_POLL_MS = 10;

/** What the engine started from: 0 is the ledger's start. */
interface Restored {
  readonly offset: number;
  readonly seconds: number;
}

/**
 * The running pipeline on any set of ports. `start` resolves once the engine has caught up with the ledger and what the
 * deployment says is in force; `gateway` may be asked for its readiness at any time before.
 */
export class Pipeline {
  readonly gateway: Gateway;
  /** Rejects when the engine cannot go on. */
  readonly failed: Promise<never>;
  readonly #ports: PipelinePorts;
  readonly #settings: PipelineSettings;
  readonly #pending: PendingVerdicts;
  readonly #stopping = new AbortController();
  readonly #publisher: Publisher;
  readonly #restored: Promise<Restored>;
  readonly #publications: Publications;
  readonly #backtests: Backtests;
  readonly #models: ModelDesk;
  readonly #explainer: DecisionExplainer;
  readonly #loop: Promise<void>;
  readonly #overloadGuard: OverloadGuard | null;
  readonly #firingGuard: FiringGuard | null;
  readonly #ruleSets: RuleSets;
  readonly #services: PortEngineServices;
  readonly #taken = new TakenOffset();
  #engine: Engine;
  /** The snapshot being read, and the share of it that is. */
  #reading: { readonly offset: number; readonly share: number } | null = null;
  #restoredOffset = 0;
  #ticker: NodeJS.Timeout | undefined;
  #isReady = false;
  #lastEndOffset = -1;

  constructor(ports: PipelinePorts, settings: PipelineSettings) {
    this.#ports = ports;
    this.#settings = settings;
    const { ledger, decisions, models, openReservoir, telemetry, clock, show } = ports;
    const timer = ports.timer ?? wallTimer;
    this.#pending = new PendingVerdicts(settings.ingest.maxPending);
    this.#overloadGuard = settings.overload === null ? null : new OverloadGuard(settings.overload);
    this.#services = new PortEngineServices(ledger, decisions, models, openReservoir);
    this.#engine = this.#newEngine();
    const openHistory = ports.openHistory ?? ((): null => null);
    const review = settings.review ?? NO_CAPACITY;
    this.#backtests = new Backtests({ review, openHistory, clock });
    this.#publications = new Publications({
      backfill: ports.backfill,
      clock,
      gate: new PublicationGate(review, openHistory),
      append: (event) => this.append(event),
      endOffset: () => ledger.endOffset(),
      read: (fromOffset, maxRecords) => ledger.read(fromOffset, maxRecords),
      configuration: () => this.engine.configuration,
      models: () => this.engine.models.scoring,
      log: () => this.engine.publications,
      createFeatures: (catalogue) => this.#services.createFeatures(catalogue),
      prepare: (publication) => {
        this.#services.prepare(publication);
      },
    });
    this.#ruleSets = new RuleSets({
      read: (fromOffset, maxRecords) => ledger.read(fromOffset, maxRecords),
      configuration: () => this.engine.configuration,
      models: () => this.engine.models.scoring,
      log: () => this.engine.publications,
    });
    this.#firingGuard =
      settings.firingLimits === null
        ? null
        : new FiringGuard(
            {
              ...{ logger: ports.logger, telemetry, decisions },
              configuration: () => this.engine.configuration,
              plan: (change) => this.#ruleSets.plan(change),
              request: (publication, author) => this.#publications.request(publication, author),
            },
            settings.firingLimits,
          );
    this.#models = new ModelDesk({
      models,
      clock,
      append: (event) => this.append(event),
      taken: (offset) => this.#taken.taken(offset),
      roster: () => this.engine.models,
      configuration: () => this.engine.configuration,
      approvals: () => this.engine.publications.approvals,
      isReady: () => this.#isReady,
    });
    this.#explainer = new DecisionExplainer({
      decisions,
      models,
      roster: () => this.engine.models,
      configuration: () => this.engine.configuration,
    });
    this.gateway = new Ingest(
      {
        ledger,
        decisions,
        pending: this.#pending,
        fallbacks: new GivenFallbacks(),
        telemetry,
        clock,
        timer,
        // The engine may be at a batch that takes so long that nobody else would ask.
        onFallback: () => void this.#guardAgainstOverload(),
        cardKey: settings.cardKey,
        settings: settings.ingest,
      },
      this.#engineView(),
    );
    const observe = (decision: Decision): void => this.#firingGuard?.observe(decision);
    this.#publisher = new Publisher({ decisions, pending: this.#pending, telemetry, clock, timer, show, observe });
    this.#restored = this.#restore();
    this.#loop = this.#run();
    this.failed = this.#loop.then(() => new Promise<never>(() => undefined));
    // Whoever cares awaits it; nobody else is to be killed by it.
    this.failed.catch(() => undefined);
  }

  /** Another object once a snapshot is restored. */
  get engine(): Engine {
    return this.#engine;
  }

  get waitingRequests(): number {
    return this.#pending.size;
  }

  /** Offset of the snapshot that the engine started from; 0: it started from the ledger's start. Known once started. */
  get restoredOffset(): number {
    return this.#restoredOffset;
  }

  /** Catches up with the ledger, and publishes what the deployment says if that is new. */
  async start(deployment: PipelineDeployment): Promise<void> {
    const restored = await Promise.race([this.#restored, this.failed]);
    this.#restoredOffset = restored.offset;
    await this.caughtUp();
    this.#tellRestored(restored);
    await this.#publishConfiguration(deployment.configuration);
    await this.#promoteModel(deployment.model);
    await this.caughtUp();
    await this.#withdrawMisfits();
    await this.caughtUp();
    this.#firingGuard?.readBack(this.#stopping.signal);
    this.#isReady = true;
    if (this.#settings.tickMs !== null) {
      this.#ticker = setInterval(() => void this.#tick(), this.#settings.tickMs);
    }
  }

  /**
   * Resolves once all that the ledger holds now is decided and stored, or the signal aborts. A retry that came before the first
   * attempt's decision is stored would be a second payment.
   */
  async caughtUp(signal?: AbortSignal): Promise<void> {
    const target = this.#ports.ledger.endOffset();
    while (this.#taken.offset < target && signal?.aborted !== true)
      await Promise.race([sleep(CATCH_UP_POLL_MS), this.failed]);
    await this.#publisher.drain();
  }

  /** Ends once what the engine has taken is stored; what it has not is decided at the next start. New appends must have stopped. */
  async stop(): Promise<void> {
    this.#isReady = false;
    clearInterval(this.#ticker);
    this.#stopping.abort();
    await this.#firingGuard?.settled();
    await Promise.all([this.#publications.stop(), this.#backtests.stop()]);
    try {
      await this.#loop;
    } finally {
      this.#services.prepare(null);
      this.#engine.close();
      await this.#explainer.close();
    }
  }

  /** Appends an event of Sluice's own. */
  async append(event: LedgerEvent): Promise<number> {
    return this.#ports.ledger.append([encodeLedgerRecord(event, this.#ports.clock(), 'sluice')]);
  }

  #newEngine(): Engine {
    const { decisions } = this.#ports;
    return new Engine(this.#services, { maxBatch: this.#settings.maxBatch, decidedThrough: decisions.lastOffset() });
  }

  async #restore(): Promise<Restored> {
    const { snapshots, ledger, decisions, logger } = this.#ports;
    const startMs = performance.now();
    if (snapshots !== null)
      this.#engine = await restoreEngine({
        snapshots,
        ledger,
        decisions,
        logger,
        newEngine: () => this.#newEngine(),
        onProgress: (offset, share) => {
          this.#reading = { offset, share };
        },
        signal: this.#stopping.signal,
      });
    this.#reading = null;
    this.#publisher.resume(await resumeChain(ledger, decisions, this.#engine.nextOffset));
    this.#taken.advance(this.#engine.nextOffset);
    return { offset: this.#engine.nextOffset, seconds: (performance.now() - startMs) / 1_000 };
  }

  async #run(): Promise<void> {
    await this.#restored;
    const { ledger, telemetry, clock } = this.#ports;
    const services = {
      engine: this.#engine,
      ledger,
      publisher: this.#publisher,
      telemetry,
      onTaking: () => this.#overloadGuard?.begins(clock()),
      onDecided: (payments: number) => this.#overloadGuard?.ends(clock(), payments),
      onTaken: async (nextOffset: number, durationMs: number) => {
        this.#taken.advance(nextOffset);
        this.#publications.taken(nextOffset, durationMs);
        await this.#guardAgainstOverload();
        if (this.#isReady) this.#firingGuard?.check();
      },
    };
    await runEngineLoop(services, this.#stopping.signal);
  }

  #tellRestored({ offset, seconds }: Restored): void {
    if (offset === 0) return;
    this.#ports.telemetry.gauge('restoreSeconds', seconds);
    const replayed = this.#taken.offset - offset;
    this.#ports.logger.info(
      { offset, seconds: Number(seconds.toFixed(3)), replayed },
      'state restored from a snapshot',
    );
  }

  async #publishConfiguration(configuration: CompiledConfiguration): Promise<void> {
    const inForce = this.engine.configuration;
    if (inForce?.sha256 === configuration.sha256) return;
    const why = whyFolderWaits(configuration, this.engine.publications);
    if (why !== null) {
      this.#ports.logger.warn({ inForce: inForce?.definition.ruleSetVersion ?? null }, why);
      return;
    }
    const by = { eventTimeMs: this.#ports.clock(), author: 'deployment', reason: 'the deployment folder at start' };
    await this.append(publicationRecord(configuration, by));
  }

  /**
   * The folder's model becomes champion when the folder has another one than at the last start on it: what was promoted
   * meanwhile stands.
   */
  async #promoteModel(model: PipelineDeployment['model']): Promise<void> {
    const { models: roster } = this.engine;
    const metadata = model === null ? '' : JSON.stringify(model.metadata);
    if (metadata === (roster.deployedMetadata ?? '')) {
      this.#tellOtherChampion(model?.metadata ?? null);
      return;
    }
    if (roster.champion !== null && this.engine.publications.approvals > 0) {
      this.#ports.logger.warn(
        { champion: `${roster.champion.promotion.modelId ?? ''} ${roster.champion.promotion.version}` },
        "the folder's model differs from the last start's, and a second person must agree: sluice models add, then promote it",
      );
      return;
    }
    if (model !== null) await this.#ports.models.put(model.metadata.sha256, model.onnx);
    const origin = {
      eventTimeMs: this.#ports.clock(),
      author: DEPLOYMENT_AUTHOR,
      reason: 'the deployment folder at start',
    };
    await this.append({ kind: 'modelPromotion', event: promotionRecord(model?.metadata ?? null, origin) });
  }

  #tellOtherChampion(folderModel: ModelMetadata | null): void {
    const promotion = this.engine.models.champion?.promotion ?? null;
    if ((promotion?.metadata ?? '') === (folderModel === null ? '' : JSON.stringify(folderModel))) return;
    const champion = promotion === null ? 'none' : `${promotion.modelId ?? ''} ${promotion.version}`;
    const folder = folderModel === null ? 'none' : `${folderModel.id} ${folderModel.version}`;
    this.#ports.logger.info(
      { champion, folder },
      "the champion is another model than the folder's: it was promoted since",
    );
  }

  /** A catalogue that came with the folder may leave challengers without their features. */
  async #withdrawMisfits(): Promise<void> {
    const { models: roster, configuration } = this.engine;
    if (configuration === null) return;
    for (const { promotion } of roster.challengers) {
      const metadata = readModelMetadata(promotion.metadata);
      if (scoresCatalogue(metadata, configuration.catalogue)) continue;
      const origin = {
        eventTimeMs: this.#ports.clock(),
        author: DEPLOYMENT_AUTHOR,
        reason: "it cannot score the features of the deployment folder's catalogue",
        action: 'withdraw' as const,
        percent: 0,
      };
      await this.append({ kind: 'modelPromotion', event: promotionRecord(metadata, origin) });
    }
  }

  /** Moves the engine's time on when nothing came since the last look. */
  async #tick(): Promise<void> {
    const { ledger, clock } = this.#ports;
    const endOffset = ledger.endOffset();
    const isIdle = endOffset === this.#lastEndOffset;
    this.#lastEndOffset = isIdle ? endOffset + 1 : endOffset;
    if (!isIdle) return;
    await this.#appendIfPossible({ kind: 'tick', event: { eventTimeMs: clock() } });
  }

  /**
   * Overload is decided by a record, not by a switch in this process, so that every replay degrades at the same payment.
   * Not before the engine has caught up once: the lag of a start is no overload.
   */
  async #guardAgainstOverload(): Promise<void> {
    if (this.#overloadGuard === null || !this.#isReady) return;
    const nowMs = this.#ports.clock();
    const { overload } = this.engine.posture;
    const lagRecords = this.#ports.ledger.endOffset() - this.engine.nextOffset;
    const degradation = this.#overloadGuard.next(lagRecords, overload, nowMs);
    if (degradation === null) return;
    const isDown = LADDER.indexOf(degradation) > LADDER.indexOf(overload);
    await this.#appendIfPossible({
      kind: 'posture',
      event: {
        eventTimeMs: nowMs,
        riskLevel: 'normal',
        degradation,
        expiresAtMs: null,
        author: OVERLOAD_AUTHOR,
        reason: isDown ? 'the engine fell behind the ledger' : 'the engine has caught up',
      },
    });
  }

  /** For records that the next look would write again: a ledger that takes nothing now is no reason to end. */
  async #appendIfPossible(event: LedgerEvent): Promise<void> {
    try {
      await this.append(event);
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error;
    }
  }

  #engineView(): EngineView {
    const engine = (): Engine => this.#engine;
    const reporter = new StateReporter(engine);
    const readiness = (): Readiness => {
      if (this.#isReady) {
        const waiting = engine().features?.waitingBlocks ?? 0;
        const disk =
          waiting === 0 ? null : `the disk does not take older events: ${waiting} blocks of them wait in memory`;
        const warnings = [disk, this.#firingGuard?.warning ?? null].filter((each) => each !== null);
        const warning = warnings.length === 0 ? null : warnings.join('; ');
        const { riskLevel, degradation } = posture();
        return { ready: true, warning, posture: { riskLevel, degradation } };
      }
      const end = this.#ports.ledger.endOffset();
      if (this.#stopping.signal.aborted) return { ready: false, reason: 'stopping' };
      if (this.#reading === null)
        return { ready: false, reason: `catching up with the ledger: ${engine().nextOffset} of ${end} records` };
      const { offset, share } = this.#reading;
      return { ready: false, reason: `restoring the snapshot at offset ${offset}: ${Math.floor(100 * share)}%` };
    };
    const posture = (): PostureState => {
      const timeMs = engine().features?.timeMs ?? 0;
      const inForce = engine().posture.at(timeMs);
      return {
        riskLevel: inForce?.riskLevel ?? 'normal',
        degradation: engine().posture.degradation(timeMs),
        expiresAtMs: inForce?.expiresAtMs ?? null,
        author: inForce?.author ?? '',
        reason: inForce?.reason ?? '',
        sinceMs: inForce?.eventTimeMs ?? null,
      };
    };
    return {
      get lists() {
        return engine().lists;
      },
      get declaredLists() {
        return engine().configuration?.definition.lists ?? [];
      },
      get rules() {
        return engine().configuration?.ruleSet.rules.map(({ definition }) => definition.id) ?? [];
      },
      get ruleSet() {
        return engine().configuration?.definition.ruleSetVersion ?? '';
      },
      publications: this.#publications,
      backtests: this.#backtests,
      certify: (transactionId) =>
        certify(this.#ports, transactionId, knownToEngine(engine().publications, engine().models)),
      ruleSets: this.#ruleSets,
      models: this.#models,
      explain: (transactionId) => this.#explainer.explain(transactionId),
      posture,
      taken: (offset) => this.#taken.taken(offset),
      stateReport: () => reporter.report(),
      fallback: (transactionId) => engine().fallback(transactionId),
      readiness,
    };
  }
}

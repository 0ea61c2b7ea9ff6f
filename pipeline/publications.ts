import { setImmediate } from 'node:timers/promises';
import type { PublicationGate } from './backtest/publicationGate.ts';
import type { CompiledConfiguration } from '../operators/configuration.ts';
import type { CompiledCatalogue } from '../operators/features/catalogue.ts';
import type { FeatureState } from '../operators/features/featureState.ts';
import type { LedgerEvent } from '../schemas/ledgerEvent.ts';
import { codedMessage } from './codedMessage.ts';
import type { Engine } from './engine/engine.ts';
import type { KnownModel } from './engine/modelRoster.ts';
import type { PreparedPublication } from './engine/engineServices.ts';
import type { PublicationEffect, PublicationEntry, PublicationLog } from './engine/publicationLog.ts';
import { featuresOnlyEngine } from './engine/featureBackfill.ts';
import type { PublicationRequest, PublicationState, Refusal } from './gateway.ts';
import { LoopHolds } from './loopHolds.ts';
import { checkPublication } from './publicationCheck.ts';
import { publicationContent } from './publicationContent.ts';
import { publicationRecord, type PublicationStep } from './publicationRecord.ts';
import type { BackfillRun, BackfillRunner, Clock, LedgerRow } from './ports.ts';

export interface PublicationServices {
  /** Null where nothing can be built aside: the engine then builds a new catalogue's state when it comes to the record. */
  readonly backfill: BackfillRunner | null;
  readonly clock: Clock;
  readonly gate: PublicationGate;
  append(event: LedgerEvent): Promise<number>;
  endOffset(): number;
  read(fromOffset: number, maxRecords: number): Promise<readonly LedgerRow[]>;
  /** What is in force. */
  configuration(): CompiledConfiguration | null;
  /** That score, verdicts or beside them. */
  models(): readonly KnownModel[];
  log(): PublicationLog;
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

/** A configuration that somebody wants in force, or, with a proposal's offset, agrees to. */
interface Wanted {
  readonly content: string;
  readonly replaces: string | null;
  readonly reason: string;
  readonly author: string;
  readonly force: string | null;
  readonly proposalOffset: number | null;
}

/**
 * Publishes configurations to a running deployment, one at a time. One with another catalogue has that catalogue's state built
 * first, from the ledger and aside, while decisions go on under the old one; then the record is appended, and the engine
 * changes over at its offset. So a new feature is exact from its first use, and no payment waits for it. Where what is in force
 * asks for a second person's approval, a proposal is appended instead, and the same happens once it is approved.
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

  /** Checks the configuration and starts to publish or propose it; `ask` tells the rest. */
  async request(
    { content, replaces, reason, force = null }: PublicationRequest,
    author: string,
  ): Promise<Refusal | null> {
    return this.#busy() ?? (await this.#begin({ content, replaces, reason, author, force, proposalOffset: null }));
  }

  /** Starts to put a proposal into force: somebody else than its author must ask for it. */
  async approve(proposalOffset: number, reason: string, author: string): Promise<Refusal | null> {
    const busy = this.#busy();
    if (busy !== null) return busy;
    const proposal = this.#openProposal(proposalOffset);
    if ('code' in proposal) return proposal;
    if (proposal.author === author) {
      const message = `it is ${author}'s own: somebody else must approve it, with a key of their own`;
      return { code: 'SLUICE_PROPOSAL_OWN', field: null, message };
    }
    this.#isChecking = true;
    const content = await publicationContent(this.#services, proposalOffset).finally(() => {
      this.#isChecking = false;
    });
    if (content === null) throw new Error(`the ledger has no publication at offset ${String(proposalOffset)}`);
    return this.#begin({ content, replaces: null, reason, author, force: null, proposalOffset });
  }

  /** Ends a proposal without effect; its author may, too. */
  reject(proposalOffset: number, reason: string, author: string): Refusal | null {
    const busy = this.#busy();
    if (busy !== null) return busy;
    const proposal = this.#openProposal(proposalOffset);
    if ('code' in proposal) return proposal;
    const { version, sha256 } = proposal;
    this.#ending = new AbortController();
    const eventTimeMs = this.#services.clock();
    const rejected = { step: 'reject', content: '', replaces: '', proposalOffset } as const;
    const event = { eventTimeMs, version, sha256, author, reason, ...rejected };
    this.#work(version, () => this.#append({ kind: 'ruleSetPublication', event }));
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
    this.#settle();
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

  #busy(): Refusal | null {
    const { stage, version } = this.#state;
    const isUnderWay = stage === 'backtesting' || stage === 'backfilling' || stage === 'publishing';
    if (!this.#isChecking && !isUnderWay) return null;
    const message = this.#isChecking ? 'another is being checked' : `version ${version ?? ''} is being published`;
    return { code: 'SLUICE_PUBLICATION_BUSY', field: null, message };
  }

  #openProposal(proposalOffset: number): PublicationEntry | Refusal {
    const proposal = this.#services.log().entry(proposalOffset);
    if (proposal?.effect === 'open') return proposal;
    const known = proposal?.step === 'propose' ? CLOSED[proposal.effect] : undefined;
    const message = known ?? 'there is no such proposal';
    return { code: 'SLUICE_PROPOSAL_UNKNOWN', field: null, message };
  }

  /** In the ledger, but the engine has not come to it yet. */
  get #isComing(): boolean {
    return this.#state.stage === 'publishing' && this.#state.ledgerOffset !== null;
  }

  /** Says what came of the record, once the engine has taken it. */
  #settle(): void {
    const { ledgerOffset } = this.#state;
    if (!this.#isComing || ledgerOffset === null || this.#takenOffset <= ledgerOffset) return;
    const effect = this.#services.log().entry(ledgerOffset)?.effect ?? 'baseGone';
    const stage = STAGES[effect] ?? 'failed';
    if (stage === 'failed') this.#services.prepare(null);
    this.#state = { ...this.#state, stage, error: stage === 'failed' ? (FAILURES[effect] ?? effect) : null };
  }

  #current(): PublicationState {
    const run = this.#run;
    const state = { ...this.#state, heldMs: this.#holds.longestMs };
    return run === null ? state : { ...state, doneRecords: run.nextOffset, totalRecords: this.#services.endOffset() };
  }

  async #begin(wanted: Wanted): Promise<Refusal | null> {
    const services = this.#services;
    this.#isChecking = true;
    const holds = new LoopHolds();
    this.#ending = new AbortController();
    const ground = { inForce: services.configuration(), models: services.models() };
    const checked = await checkPublication(wanted.content, ground, holds).finally(() => {
      this.#isChecking = false;
    });
    const inForce = services.configuration();
    if (wanted.replaces !== null && wanted.replaces !== inForce?.sha256) {
      const message = `another configuration is in force than the one this was made from: version ${inForce?.definition.ruleSetVersion ?? ''}; make the change from that one`;
      return { code: 'SLUICE_PUBLICATION_BASE', field: 'replaces', message };
    }
    if (!checked.ok) return checked.refusals[0];
    const { configuration } = checked;
    if (inForce?.sha256 === configuration.sha256) {
      const message = 'this configuration is in force already';
      return { code: 'SLUICE_PUBLICATION_UNCHANGED', field: 'content', message };
    }
    this.#holds = holds;
    this.#work(configuration.definition.ruleSetVersion, async () => {
      await this.#publish(configuration, await this.#passed(configuration, wanted, inForce), inForce);
    });
    return null;
  }

  #work(version: string, work: () => Promise<void>): void {
    this.#state = { ...NONE, stage: 'publishing', version };
    this.#askedMs = performance.now();
    this.#working = work().catch((error: unknown) => {
      this.#state = { ...this.#state, stage: 'failed', error: codedMessage(error) };
    });
  }

  /** What may be published or proposed, with the reason that the ledger keeps. A proposal passed when it was made. */
  async #passed(
    configuration: CompiledConfiguration,
    wanted: Wanted,
    inForce: CompiledConfiguration | null,
  ): Promise<Wanted> {
    const { gate } = this.#services;
    if (wanted.proposalOffset !== null || !gate.isAsked(inForce, configuration)) return wanted;
    this.#state = { ...this.#state, stage: 'backtesting' };
    const { reason, alerts } = await gate.pass(configuration, wanted, this.#ending.signal);
    this.#stopIfAbandoned();
    this.#state = { ...this.#state, stage: 'publishing', alertsPerDay: alerts };
    return { ...wanted, reason };
  }

  #stopIfAbandoned(): void {
    if (performance.now() - this.#askedMs > ABANDONED_AFTER_MS)
      throw new Error('SLUICE_PUBLICATION_CANCELLED: nobody asked for its progress any more');
  }

  async #publish(
    configuration: CompiledConfiguration,
    { replaces, reason, author, proposalOffset }: Wanted,
    inForce: CompiledConfiguration | null,
  ): Promise<void> {
    const services = this.#services;
    const by = (): Parameters<typeof publicationRecord>[1] => ({ eventTimeMs: services.clock(), author, reason });
    if (proposalOffset === null && services.log().approvals > 0) {
      const step = { step: 'propose', replaces: inForce?.sha256 ?? '' } as const;
      await this.#append(publicationRecord(configuration, by(), step));
      return;
    }
    const { backfill } = services;
    this.#ending.signal.throwIfAborted();
    const isOther = inForce?.catalogue.sha256 !== configuration.catalogue.sha256;
    const engine = backfill !== null && isOther ? await this.#backfilled(backfill, configuration) : null;
    services.prepare({ configuration, engine });
    try {
      const step: PublicationStep =
        proposalOffset === null ? { replaces: replaces ?? '' } : { step: 'approve', proposalOffset };
      await this.#append(publicationRecord(configuration, by(), step));
    } catch (error) {
      services.prepare(null);
      throw error;
    }
  }

  async #append(event: LedgerEvent): Promise<void> {
    // From here on it can no longer be given up.
    this.#ending.signal.throwIfAborted();
    this.#isAppending = true;
    try {
      const ledgerOffset = await this.#services.append(event);
      this.#state = { ...this.#state, stage: 'publishing', ledgerOffset };
    } finally {
      this.#isAppending = false;
    }
    this.#settle();
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
        this.#stopIfAbandoned();
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
  alertsPerDay: null,
  error: null,
};

const STAGES: Readonly<Partial<Record<PublicationEffect, PublicationState['stage']>>> = {
  inForce: 'published',
  open: 'proposed',
  noted: 'rejected',
};

/** Why a record had no effect: somebody else's came before it in the ledger. */
const FAILURES: Readonly<Partial<Record<PublicationEffect, string>>> = {
  baseGone:
    'SLUICE_PUBLICATION_BASE: another configuration came into force just before it; make the change from that one',
  stale: 'SLUICE_PUBLICATION_BASE: another configuration came into force just before it; make the change from that one',
  notApproved:
    'SLUICE_PROPOSAL_NEEDED: what is in force by now asks for a second person; publish it again as a proposal',
  noProposal: 'SLUICE_PROPOSAL_UNKNOWN: the proposal was answered just before',
  tooMany: 'SLUICE_PROPOSAL_COUNT: too many proposals are open; have some approved or rejected first',
};

/** What became of a proposal that is no longer open. */
const CLOSED: Readonly<Partial<Record<PublicationEffect, string>>> = {
  approved: 'it was approved already',
  rejected: 'it was rejected',
  stale: 'what it was made from is no longer in force: make the change anew',
};

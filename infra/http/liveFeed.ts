import type { LiveDecision } from '../../pipeline/ports.ts';
import type { Degradation, RiskLevel } from '../../schemas/types.ts';
import type { LiveStatistics, SecondStatistics, WindowStatistics } from '../metrics/liveStatistics.ts';

/** What the console shows beside the decisions; the composing process says it. */
export interface LiveStatus {
  readonly ready: boolean;
  /** What is missing until it is ready. */
  readonly waitingFor: string | null;
  /** The deployment's name, e.g. its folder's. */
  readonly deployment: string;
  readonly startedAtMs: number;
  readonly ledgerEndOffset: number;
  /** Records that the engine has not taken yet. */
  readonly engineLagRecords: number;
  /** Records that history has not taken yet; null when there is no history. */
  readonly historyLagRecords: number | null;
  readonly ruleSet: string | null;
  readonly model: { readonly id: string; readonly version: string } | null;
  readonly riskLevel: RiskLevel;
  readonly degradation: Degradation;
}

/** Sent first, to a new viewer. */
export interface LiveSnapshot extends LiveUpdate {
  /** Milliseconds between updates. */
  readonly intervalMs: number;
}

/** Sent every `intervalMs`. */
export interface LiveUpdate {
  readonly nowMs: number;
  readonly status: LiveStatus;
  /** Decisions since the start. */
  readonly total: number;
  /** The last ten seconds. */
  readonly window: WindowStatistics;
  /** Seconds finished since the last update, oldest first; in a snapshot, the last five minutes. */
  readonly seconds: readonly SecondStatistics[];
  /** A bounded sample of the newest decisions by ledger offset: the newest of all, and the newest that are not approved. */
  readonly decisions: readonly LiveDecision[];
}

/** One viewer. `send` says false when the viewer does not keep up: it is then ended and forgotten. */
export interface LiveSubscriber {
  send(event: 'snapshot' | 'update', json: string): boolean;
  end(): void;
}

/** What the decision path and the HTTP server see of it. */
export interface LiveFeedPort {
  /** Called for every decision; does not wait, and costs next to nothing. */
  publish(decision: LiveDecision): void;
  snapshot(): LiveSnapshot;
  /** Sends a snapshot, then updates, until the returned function is called. Undefined: no more viewers are taken. */
  subscribe(subscriber: LiveSubscriber): (() => void) | undefined;
  close(): void;
}

export interface LiveFeedOptions {
  readonly statistics: LiveStatistics;
  readonly status: () => LiveStatus;
  readonly clock: () => number;
  readonly intervalMs?: number;
  readonly maxSubscribers?: number;
}

const DEFAULT_INTERVAL_MS = 250;
const MIN_INTERVAL_MS = 100;
const DEFAULT_MAX_SUBSCRIBERS = 20;
const WINDOW_SECONDS = 10;
/** Newest decisions kept of each kind for a new viewer, and sent of each kind in one update. */
const KEPT_DECISIONS = 50;
const DECISIONS_PER_UPDATE = 10;

export class LiveFeed implements LiveFeedPort {
  readonly #options: LiveFeedOptions;
  readonly #intervalMs: number;
  readonly #maxSubscribers: number;
  readonly #subscribers = new Set<LiveSubscriber>();
  readonly #newest = new Ring(KEPT_DECISIONS);
  readonly #newestFlagged = new Ring(KEPT_DECISIONS);
  #timer: NodeJS.Timeout | undefined;
  #lastSecondMs = 0;
  #isClosed = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#maxSubscribers = options.maxSubscribers ?? DEFAULT_MAX_SUBSCRIBERS;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(decision: LiveDecision): void {
    this.#newest.push(decision);
    if (decision.verdict !== 'approve') this.#newestFlagged.push(decision);
  }

  snapshot(): LiveSnapshot {
    const decisions = merge(this.#newest.latest(KEPT_DECISIONS), this.#newestFlagged.latest(KEPT_DECISIONS));
    return { ...this.#update(0, decisions), intervalMs: this.#intervalMs };
  }

  subscribe(subscriber: LiveSubscriber): (() => void) | undefined {
    if (this.#isClosed || this.#subscribers.size >= this.#maxSubscribers) return undefined;
    const snapshot = this.snapshot();
    // The first viewer starts the clockwork; the others join in its rhythm and may see a second twice, by its start.
    if (this.#subscribers.size === 0) {
      this.#lastSecondMs = snapshot.seconds.at(-1)?.startMs ?? 0;
      this.#newest.forgetUnsent();
      this.#newestFlagged.forgetUnsent();
      this.#timer = setInterval(() => {
        this.#tick();
      }, this.#intervalMs);
      this.#timer.unref();
    }
    this.#subscribers.add(subscriber);
    this.#send(subscriber, 'snapshot', JSON.stringify(snapshot));
    return () => {
      this.#drop(subscriber);
    };
  }

  close(): void {
    this.#isClosed = true;
    for (const subscriber of [...this.#subscribers]) {
      this.#drop(subscriber);
      subscriber.end();
    }
  }

  #tick(): void {
    const decisions = merge(
      this.#newest.takeUnsent(DECISIONS_PER_UPDATE),
      this.#newestFlagged.takeUnsent(DECISIONS_PER_UPDATE),
    );
    const update = this.#update(this.#lastSecondMs, decisions);
    this.#lastSecondMs = update.seconds.at(-1)?.startMs ?? this.#lastSecondMs;
    const json = JSON.stringify(update);
    for (const subscriber of [...this.#subscribers]) this.#send(subscriber, 'update', json);
  }

  #update(afterMs: number, decisions: readonly LiveDecision[]): LiveUpdate {
    const { statistics, status, clock } = this.#options;
    return {
      nowMs: clock(),
      status: status(),
      total: statistics.total,
      window: statistics.window(WINDOW_SECONDS),
      seconds: statistics.seconds(afterMs),
      decisions,
    };
  }

  #send(subscriber: LiveSubscriber, event: 'snapshot' | 'update', json: string): void {
    if (subscriber.send(event, json)) return;
    this.#drop(subscriber);
    subscriber.end();
  }

  #drop(subscriber: LiveSubscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0 && this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** The newest decisions, and how many of them no update has had yet. */
class Ring {
  readonly #slots: (LiveDecision | undefined)[];
  #written = 0;
  #sent = 0;

  constructor(size: number) {
    this.#slots = Array.from({ length: size }, () => undefined);
  }

  push(decision: LiveDecision): void {
    this.#slots[this.#written++ % this.#slots.length] = decision;
  }

  latest(count: number): LiveDecision[] {
    const latest: LiveDecision[] = [];
    for (let index = Math.max(0, this.#written - Math.min(count, this.#slots.length)); index < this.#written; index++) {
      const decision = this.#slots[index % this.#slots.length];
      if (decision !== undefined) latest.push(decision);
    }
    return latest;
  }

  takeUnsent(atMost: number): LiveDecision[] {
    const unsent = this.latest(Math.min(atMost, this.#written - this.#sent));
    this.#sent = this.#written;
    return unsent;
  }

  forgetUnsent(): void {
    this.#sent = this.#written;
  }
}

function merge(first: readonly LiveDecision[], second: readonly LiveDecision[]): LiveDecision[] {
  return [...new Set([...first, ...second])].sort((left, right) => left.ledgerOffset - right.ledgerOffset);
}

import type { GatewayTransaction, Label, Outcome } from '../../schemas/types.ts';
import { FRAUD_CAMPAIGNS, LOOKALIKES } from './campaigns/index.ts';
import type { Campaign } from './campaign.ts';
import { EventQueue } from './eventQueue.ts';
import { GenuineBehaviour } from './genuineBehaviour.ts';
import { planLabel } from './labelling.ts';
import type { SimulationOptions } from './options.ts';
import type { PaymentDraft } from './paymentDraft.ts';
import { Population } from './population.ts';
import type { Customer } from './population.ts';
import { Random } from './random.ts';
import { MEAN_RHYTHM_WEIGHT, rhythmWeight } from './rhythm.ts';

/** What a gateway would send at `timeMs`, which is also the event's own time. */
export type SimulatedEvent =
  | {
      readonly kind: 'transaction';
      readonly timeMs: number;
      readonly event: GatewayTransaction;
      /** The campaign the payment belongs to; null for an ordinary one. Never sent. */
      readonly campaign: string | null;
      /** The truth, whether or not it ever becomes known. Never sent. */
      readonly fraud: boolean;
    }
  | { readonly kind: 'label'; readonly timeMs: number; readonly event: SimulatedLabel }
  | { readonly kind: 'outcome'; readonly timeMs: number; readonly event: SimulatedOutcome };

type SimulatedLabel = Omit<Label, 'transactionOffset'>;
type SimulatedOutcome = Omit<Outcome, 'transactionOffset'>;

type Pending =
  | { readonly kind: 'payment'; readonly draft: PaymentDraft; readonly campaign: Campaign }
  | { readonly kind: 'again'; readonly customer: Customer }
  | { readonly kind: 'run'; readonly campaign: Campaign; readonly share: number }
  | { readonly kind: 'send'; readonly event: SimulatedEvent };

/** An honest customer soon pays again with this chance (the next shop on the way, the second basket). */
const AGAIN_CHANCE = 0.06;
const AGAIN_MEAN_MS = 600_000;
const AWAKE_TRIES = 12;
const HONEST_DECLINE_CHANCE = 0.02;

/**
 * Payments in order of time, with their labels and outcomes between them. The same options give the same events, always:
 * no clock is read, all chance comes from the seed. Throws RangeError for options that make no sense.
 */
export function* simulate(options: SimulationOptions): Generator<SimulatedEvent, void, undefined> {
  const run = new Simulation(options);
  for (let event = run.next(); event !== undefined; event = run.next()) yield event;
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #population: Population;
  readonly #behaviour: GenuineBehaviour;
  readonly #arrivals: Random;
  readonly #fates: Random;
  readonly #queue = new EventQueue<Pending>();
  readonly #endMs: number;
  readonly #genuineShare: number;
  #nextArrivalMs: number;
  #transactions = 0;
  #runs = 0;

  constructor(options: SimulationOptions) {
    checkOptions(options);
    this.#options = options;
    this.#population = new Population(options.seed, options.customers);
    this.#behaviour = new GenuineBehaviour(
      this.#population,
      new Random(options.seed, 'behaviour'),
      Math.min(1, options.timeScale),
    );
    this.#arrivals = new Random(options.seed, 'arrivals');
    this.#fates = new Random(options.seed, 'fates');
    this.#endMs = options.startTimeMs + (options.durationMs ?? Infinity);
    const fraud = FRAUD_CAMPAIGNS.filter((campaign) => options.campaigns.includes(campaign.name));
    const fraudShare = fraud.length > 0 ? options.fraudShare : 0;
    this.#genuineShare = (1 - fraudShare - options.lookalikeShare) / (1 + AGAIN_CHANCE);
    const beginMs = options.startTimeMs - (options.warmUp?.durationMs ?? 0);
    for (const campaign of fraud) this.#firstRun(campaign, fraudShare / fraud.length, beginMs);
    for (const campaign of LOOKALIKES) {
      this.#firstRun(campaign, options.lookalikeShare / LOOKALIKES.length, beginMs);
    }
    this.#nextArrivalMs = beginMs;
    this.#scheduleArrival();
  }

  /** The next event; undefined when the simulation has ended and its last label is out. */
  next(): SimulatedEvent | undefined {
    for (;;) {
      const queuedMs = this.#queue.nextTimeMs;
      if (this.#nextArrivalMs <= queuedMs) {
        if (this.#nextArrivalMs === Infinity) return undefined;
        const timeMs = this.#nextArrivalMs;
        const customer = this.#arrivingCustomer(timeMs);
        this.#scheduleArrival();
        if (customer === undefined) continue;
        if (this.#arrivals.chance(AGAIN_CHANCE)) {
          const laterMs = timeMs + this.#arrivals.exponential(AGAIN_MEAN_MS * this.#options.timeScale);
          if (laterMs < this.#endMs) this.#queue.push(laterMs, { kind: 'again', customer });
        }
        return this.#pay(Math.floor(timeMs), this.#behaviour.pay(customer, timeMs), null);
      }
      const pending = this.#queue.pop();
      if (pending === undefined) return undefined;
      if (pending.kind === 'send') return pending.event;
      if (pending.kind === 'payment') return this.#pay(Math.floor(queuedMs), pending.draft, pending.campaign);
      if (pending.kind === 'again') {
        return this.#pay(Math.floor(queuedMs), this.#behaviour.pay(pending.customer, queuedMs), null);
      }
      this.#startRun(pending.campaign, pending.share, queuedMs);
    }
  }

  #rateAt(timeMs: number): number {
    const { warmUp, startTimeMs, paymentsPerSecond } = this.#options;
    return warmUp !== undefined && timeMs < startTimeMs
      ? warmUp.payments / warmUp.durationMs
      : paymentsPerSecond / 1_000;
  }

  #scheduleArrival(): void {
    const peak = this.#options.pace === 'rhythm' ? 1 / MEAN_RHYTHM_WEIGHT : 1;
    const meanGapMs = 1 / (this.#rateAt(this.#nextArrivalMs) * this.#genuineShare * peak);
    let timeMs = this.#nextArrivalMs + this.#arrivals.exponential(meanGapMs);
    // A long gap of a slow warm-up must not reach into the faster time after it.
    if (this.#nextArrivalMs < this.#options.startTimeMs && timeMs > this.#options.startTimeMs) {
      timeMs = this.#options.startTimeMs;
    }
    this.#nextArrivalMs = timeMs < this.#endMs ? timeMs : Infinity;
  }

  /** Somebody who is awake; undefined when, in rhythm, nobody pays at this moment. */
  #arrivingCustomer(timeMs: number): Customer | undefined {
    const random = this.#arrivals;
    const tries = this.#options.pace === 'rhythm' ? 1 : AWAKE_TRIES;
    let customer: Customer | undefined;
    for (let attempt = 0; attempt < tries; attempt++) {
      customer = this.#population.pickCustomer(random);
      if (random.chance(rhythmWeight(timeMs, customer.country.utcOffsetHours))) return customer;
    }
    return this.#options.pace === 'rhythm' ? undefined : customer;
  }

  #firstRun(campaign: Campaign, share: number, beginMs: number): void {
    const { firstRunsWithinMs, startTimeMs } = this.#options;
    if (share <= 0) return;
    const atMs =
      firstRunsWithinMs === undefined
        ? beginMs + this.#fates.exponential(this.#meanGapMs(campaign, share, beginMs))
        : startTimeMs + this.#fates.uniform(0, firstRunsWithinMs);
    if (atMs < this.#endMs) this.#queue.push(atMs, { kind: 'run', campaign, share });
  }

  #meanGapMs(campaign: Campaign, share: number, timeMs: number): number {
    return campaign.meanPayments / (this.#rateAt(timeMs) * share);
  }

  #startRun(campaign: Campaign, share: number, timeMs: number): void {
    this.#runs += 1;
    const planned = campaign.plan({
      random: new Random(this.#options.seed, campaign.name, this.#runs),
      population: this.#population,
      startMs: timeMs,
      timeScale: this.#options.timeScale,
      maxRunMs: this.#options.maxRunMs,
    });
    for (const { timeMs: atMs, draft } of planned) {
      if (atMs < this.#endMs) this.#queue.push(atMs, { kind: 'payment', draft, campaign });
    }
    const nextMs = timeMs + this.#fates.exponential(this.#meanGapMs(campaign, share, timeMs));
    if (nextMs < this.#endMs) this.#queue.push(nextMs, { kind: 'run', campaign, share });
  }

  #pay(timeMs: number, draft: PaymentDraft, campaign: Campaign | null): SimulatedEvent {
    const random = this.#fates;
    const { idPrefix, labels, outcomeShare } = this.#options;
    const transactionId = `${idPrefix}${(this.#transactions++).toString(36)}`;
    this.#behaviour.remember(transactionId, draft);
    if (random.chance(outcomeShare)) {
      const declined = random.chance(campaign?.issuerDeclineChance ?? HONEST_DECLINE_CHANCE);
      const eventTimeMs = timeMs + random.integer(40, 900);
      const outcome = declined ? 'declined' : 'authorised';
      const event = { transactionId, eventTimeMs, outcome, responseCode: declined ? '05' : '00' } as const;
      this.#send({ kind: 'outcome', timeMs: eventTimeMs, event });
    }
    const label = planLabel(random, labels, campaign);
    if (label !== null) {
      const { delayMs, ...known } = label;
      const eventTimeMs = timeMs + delayMs;
      this.#send({ kind: 'label', timeMs: eventTimeMs, event: { transactionId, eventTimeMs, ...known } });
    }
    return {
      kind: 'transaction',
      timeMs,
      event: { transactionId, eventTimeMs: timeMs, ...draft },
      campaign: campaign?.name ?? null,
      fraud: campaign?.fraud ?? false,
    };
  }

  #send(event: SimulatedEvent): void {
    this.#queue.push(event.timeMs, { kind: 'send', event });
  }
}

function checkOptions(options: SimulationOptions): void {
  const unknown = options.campaigns.filter((name) => !FRAUD_CAMPAIGNS.some((campaign) => campaign.name === name));
  if (unknown.length > 0) {
    const known = FRAUD_CAMPAIGNS.map((campaign) => campaign.name).join(', ');
    throw new RangeError(`unknown campaign ${unknown.join(', ')}; known are ${known}`);
  }
  if (!(options.paymentsPerSecond > 0)) throw new RangeError('paymentsPerSecond must be above 0');
  const burstShare = options.fraudShare + options.lookalikeShare;
  if (!(options.fraudShare >= 0 && options.lookalikeShare >= 0 && burstShare <= 0.9)) {
    throw new RangeError('fraudShare and lookalikeShare must not be negative, nor above 0.9 together');
  }
  if (!(options.timeScale > 0 && options.maxRunMs > 0)) throw new RangeError('timeScale and maxRunMs must be above 0');
}

/**
 * How much the server takes on at the same moment. What would wait too long is refused at once, and never queued: a payment that
 * is answered in time is worth more than two that are not.
 *
 * How long a new payment would wait is what is on its way times the time that each takes, as measured while many were on their
 * way (Little's law), in the best of the last stretches of such time: a machine that was held up does better in a moment. A short burst may wait for most of the deadline. A queue that stands, in which no payment was fast for an
 * interval, is shed down to a target far below it (the idea of CoDel: Nichols and Jacobson, Controlling queue delay, ACM Queue
 * 10(5), 2012), until nothing had to be refused for an interval. What a payment takes with no queue at all (the disk's part is
 * the same for one and for many) is no queue: the least that was seen among few is added to that target, as BBR measures a path's own
 * delay (Cardwell et al., ACM Queue 14(5), 2016). Without that a slow disk alone had payments refused, and the fewer are let in, the fewer share a commit.
 */
export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #targetMs: number;
  readonly #burstMs: number;
  readonly #mostBaseMs: number;
  #payments = 0;
  #bodyBytes = 0;
  /** On their way, in units of a payment that comes alone. */
  #load = 0;
  /** Milliseconds that each payment took, by stretch of busy time; the newest last. */
  readonly #stretches: number[] = [];
  #paymentMs = FIRST_GUESS_MS;
  /** Of the stretch that is not full yet: time in which something was on its way, and what was done in it. */
  #busyMs = 0;
  #busyDone = 0;
  /** Of the busy period that goes on, from nothing on its way to nothing again. */
  #periodSinceMs = 0;
  #periodDone = 0;
  #periodPeak = 0;
  /** The least milliseconds that a payment took among few, by window in which there were such; the newest last. */
  readonly #least: number[] = [];
  #baseSinceMs = -Infinity;
  #baseMs: number;
  #lastBaseMs = 0;
  #lastFastMs = 0;
  #lastRefusedMs = -Infinity;
  #isShedding = false;

  constructor(bounds: AdmissionBounds) {
    this.#bounds = bounds;
    this.#targetMs = bounds.deadlineMs * TARGET_SHARE;
    this.#burstMs = bounds.deadlineMs * BURST_SHARE;
    this.#mostBaseMs = bounds.deadlineMs * MOST_BASE_SHARE;
    this.#baseMs = this.#mostBaseMs;
  }

  get payments(): number {
    return this.#payments;
  }

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  get isFull(): boolean {
    return this.#payments >= this.#bounds.maxInFlight;
  }

  /** Whether a payment that comes now would wait too long. Times are milliseconds of a clock that never runs backwards. */
  isOverloaded(nowMs: number): boolean {
    if (this.#isShedding && nowMs - this.#lastRefusedMs > INTERVAL_MS) this.#isShedding = false;
    const isProbing = this.#isShedding && nowMs - this.#lastBaseMs > PROBE_EVERY_MS;
    if (this.#load < (isProbing ? FEW : MIN_LOAD)) return false;
    const mostMs = this.#isShedding ? this.#baseMs + this.#targetMs : this.#burstMs;
    if (!isProbing && this.#load * this.#paymentMs <= mostMs) return false;
    this.#isShedding = true;
    this.#lastRefusedMs = nowMs;
    return true;
  }

  tryEnter(payments: number, nowMs: number): boolean {
    if (this.#payments + payments > this.#bounds.maxInFlight) return false;
    if (this.#load === 0) {
      this.#periodSinceMs = nowMs;
      this.#lastFastMs = nowMs;
    }
    this.#payments += payments;
    this.#load += loadOf(payments);
    this.#periodPeak = Math.max(this.#periodPeak, this.#load);
    return true;
  }

  /** What entered at `enteredMs` is answered. */
  leave(payments: number, enteredMs: number, nowMs: number): void {
    this.#payments -= payments;
    this.#load = this.#payments === 0 ? 0 : this.#load - loadOf(payments);
    this.#periodDone += loadOf(payments);
    if (this.#periodPeak <= FEW) this.#noteBase(nowMs - enteredMs, nowMs);
    if (nowMs - enteredMs <= this.#baseMs + this.#targetMs) this.#lastFastMs = nowMs;
    else if (nowMs - this.#lastFastMs > INTERVAL_MS && this.#load >= MIN_LOAD) {
      this.#isShedding = true;
      this.#lastRefusedMs = nowMs;
    }
    if (this.#load === 0 || nowMs - this.#periodSinceMs >= INTERVAL_MS) this.#endPeriod(nowMs);
  }

  tryReceive(bytes: number): boolean {
    if (this.#bodyBytes + bytes > this.#bounds.maxBodyBytesInFlight) return false;
    this.#bodyBytes += bytes;
    return true;
  }

  received(bytes: number): void {
    this.#bodyBytes -= bytes;
  }

  /** Among few, a payment's time is its own: next to nothing was ahead of it. */
  #noteBase(latencyMs: number, nowMs: number): void {
    if (nowMs - this.#baseSinceMs >= BASE_WINDOW_MS) {
      this.#least.push(latencyMs);
      if (this.#least.length > BASE_WINDOWS) this.#least.shift();
      this.#baseSinceMs = nowMs;
    } else {
      const newest = this.#least.length - 1;
      this.#least[newest] = Math.min(this.#least[newest] ?? Infinity, latencyMs);
    }
    this.#lastBaseMs = nowMs;
    this.#baseMs = Math.min(...this.#least, this.#mostBaseMs);
  }

  /** Few payments at a time say nothing of how fast many are done: each then has a commit of its own. */
  #endPeriod(nowMs: number): void {
    if (this.#periodPeak >= MIN_LOAD) {
      this.#busyMs += nowMs - this.#periodSinceMs;
      this.#busyDone += this.#periodDone;
    }
    if (this.#busyMs >= INTERVAL_MS) this.#endStretch();
    this.#periodSinceMs = nowMs;
    this.#periodDone = 0;
    this.#periodPeak = this.#load;
  }

  #endStretch(): void {
    this.#stretches.push(this.#busyMs / Math.max(1, this.#busyDone));
    if (this.#stretches.length > MAX_STRETCHES) this.#stretches.shift();
    this.#paymentMs = Math.min(...this.#stretches);
    this.#busyMs = 0;
    this.#busyDone = 0;
  }
}

export interface AdmissionBounds {
  readonly maxInFlight: number;
  readonly maxBodyBytesInFlight: number;
  /** From a payment's acceptance to its fallback. */
  readonly deadlineMs: number;
}

/** Of the deadline: what a standing queue is shed to, and what a burst may wait. */
const TARGET_SHARE = 0.2;
const BURST_SHARE = 0.7;
/** Of the deadline, what a payment's own time may be at most, and is taken to be before anything is measured. */
const MOST_BASE_SHARE = 0.25;
const BASE_WINDOW_MS = 1_000;
const BASE_WINDOWS = 2;
/** On their way, at most, when a payment's own time is measured; while payments are refused this is brought about now and then. */
const FEW = 3;
const PROBE_EVERY_MS = 5_000;
const INTERVAL_MS = 100;
/** So much is always let in: fewer payments on their way cannot be told from none. */
const MIN_LOAD = 8;
/** Stretches of an interval that are looked at. */
const MAX_STRETCHES = 8;
/** Before anything is measured: 1,000 payments a second. */
const FIRST_GUESS_MS = 1;
/** A payment of a batch has no request of its own, which is most of what a payment costs. */
const BATCHED_LOAD = 0.2;

function loadOf(payments: number): number {
  return payments === 1 ? 1 : payments * BATCHED_LOAD;
}

/**
 * How much the server takes on at the same moment. What would wait too long is refused at once, and never queued: a payment that
 * is answered in time is worth more than two that are not.
 *
 * How long a new payment would wait is what is on its way times the time that each takes, as measured while many were on their
 * way (Little's law), in the best of the last stretches of such time: a machine that was held up does better in a moment. A short burst may wait for most of the deadline. A queue that stands, in which no payment was fast for an
 * interval, is shed down to a target far below it (the idea of CoDel: Nichols and Jacobson, Controlling queue delay, ACM Queue
 * 10(5), 2012), until nothing had to be refused for an interval.
 */
export class Admission {
  readonly #bounds: AdmissionBounds;
  readonly #targetMs: number;
  readonly #burstMs: number;
  #payments = 0;
  #bodyBytes = 0;
  /** On their way, in units of a payment that comes alone. */
  #load = 0;
  /** Milliseconds that each payment took, by stretch of busy time; the newest last. */
  readonly #stretches = [FIRST_GUESS_MS];
  #paymentMs = FIRST_GUESS_MS;
  /** Of the stretch that is not full yet: time in which something was on its way, and what was done in it. */
  #busyMs = 0;
  #busyDone = 0;
  /** Of the busy period that goes on, from nothing on its way to nothing again. */
  #periodSinceMs = 0;
  #periodDone = 0;
  #periodPeak = 0;
  #lastFastMs = 0;
  #lastRefusedMs = -Infinity;
  #isShedding = false;

  constructor(bounds: AdmissionBounds) {
    this.#bounds = bounds;
    this.#targetMs = bounds.deadlineMs * TARGET_SHARE;
    this.#burstMs = bounds.deadlineMs * BURST_SHARE;
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
    if (this.#load < MIN_LOAD) return false;
    if (this.#load * this.#paymentMs <= (this.#isShedding ? this.#targetMs : this.#burstMs)) return false;
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
    if (nowMs - enteredMs <= this.#targetMs) this.#lastFastMs = nowMs;
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

import type { LiveDecision } from '../../../pipeline/ports.ts';
import type { Reason, Verdict } from '../../../schemas/types.ts';
import type { TestServer } from '../../http/testing/testServer.ts';

const NO_REASON: Reason = {
  code: '',
  rule: null,
  version: null,
  list: null,
  feature: null,
  contribution: null,
  value: null,
  text: null,
};
const VELOCITY: Reason = {
  ...NO_REASON,
  code: 'VELOCITY_CARD',
  rule: 'card-velocity',
  version: 3,
  text: { en: 'Many payments on this card in 10 minutes', zh: '该卡10分钟内多次支付' },
};
const DEVICE: Reason = {
  ...NO_REASON,
  code: 'DEVICE_MANY_ACCOUNTS',
  rule: 'device-many-accounts',
  version: 1,
  text: { en: 'Many accounts on this device in one day', zh: '同一设备一天内使用多个账户' },
};
const BLOCKED: Reason = {
  ...NO_REASON,
  code: 'BLOCK_LIST',
  list: 'blocked-cards',
  text: { en: 'The card is on a block list', zh: '该卡在黑名单中' },
};
const MODEL: Reason = {
  ...NO_REASON,
  code: 'MODEL',
  feature: 'card_amount_z_30d',
  contribution: 0.31,
  value: 6.2,
  text: { en: 'Amount far above what this card usually pays', zh: '金额远高于该卡平时水平' },
};
const REASONS: Readonly<Record<Verdict, readonly (readonly Reason[])[]>> = {
  approve: [[]],
  challenge: [[VELOCITY, MODEL], [MODEL]],
  review: [[DEVICE, MODEL]],
  decline: [[BLOCKED], [VELOCITY, DEVICE, MODEL]],
};
const MERCHANTS = ['m-204', 'grocer-17', 'books-3', 'noodles-42', 'travel-88', 'fuel-5'];

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Decides on synthetic payments as the engine would tell of them. */
export class SyntheticTraffic {
  readonly #server: TestServer;
  readonly #random = seededNumbers(7);
  #offset = 918_000;

  constructor(server: TestServer) {
    this.#server = server;
  }

  /** `campaign` from 0 to 1: how much of it is fraud. */
  decide(count: number, timeMs: number, campaign: number): void {
    for (let index = 0; index < count; index++) {
      const decision = this.#next(timeMs, campaign);
      this.#server.statistics.record(decision.verdict, this.#latencyMs());
      this.#server.liveFeed.publish(decision);
    }
    const status = this.#server.status.current;
    this.#server.status.current = {
      ...status,
      deployment: 'default',
      startedAtMs: Date.now() - 11_520_000,
      ledgerEndOffset: this.#offset,
      historyLagRecords: 1240,
    };
  }

  #next(timeMs: number, campaign: number): LiveDecision {
    const random = this.#random();
    const fraud = 0.03 + campaign * 0.25;
    const verdict: Verdict =
      random < fraud * 0.35 ? 'decline' : random < fraud * 0.55 ? 'review' : random < fraud ? 'challenge' : 'approve';
    const offset = this.#offset++;
    return {
      ledgerOffset: offset,
      transactionId: `t-${offset}`,
      eventTimeMs: timeMs,
      verdict,
      score: verdict === 'approve' ? Math.floor(this.#random() * 300) : 600 + Math.floor(this.#random() * 380),
      mode: 'full',
      amountMinor: Math.floor(100 * Math.exp(1 + this.#random() * 6)),
      currency: this.#pick(['CNY', 'CNY', 'CNY', 'EUR', 'JPY']),
      merchant: this.#pick(MERCHANTS),
      channel: 'card',
      reasons: this.#pick(REASONS[verdict]),
    };
  }

  #pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.#random() * choices.length)];
    if (choice === undefined) throw new Error('nothing to pick from');
    return choice;
  }

  /** Most take 2 ms, a few ten times that. */
  #latencyMs(): number {
    return 1.2 + 0.9 * -Math.log(1 - this.#random()) + (this.#random() < 0.01 ? 6 * this.#random() : 0);
  }
}

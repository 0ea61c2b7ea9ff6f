import type { ConfigurationDefinition, RuleDefinition } from '../../operators/definitions.ts';
import { codecs } from '../../schemas/codec.ts';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { Decision, DecisionMode, Degradation, Fallback } from '../../schemas/types.ts';
import { LADDER, OVERLOAD_AUTHOR } from '../engine/postureState.ts';
import type { TransactionAnswer, VerdictReply } from '../gateway.ts';
import { DiskFault, FaultyDecisionStore, FaultyLedger } from './faultyStores.ts';
import { ManualTime } from './manualTime.ts';
import { packagesDefinition, testPackage } from './modelPackages.ts';
import { SlowModel } from './slowModel.ts';
import { DRIVER_SENDER, TopologyDriver } from './topologyDriver.ts';

export const LADDER_START_MS = 1_767_225_600_000;
export const DEADLINE_MS = 100;

const manyRule: RuleDefinition = {
  id: 'many',
  version: 1,
  owner: 'risk-team',
  when: 'f.count > p.most',
  params: { most: 3 },
  then: { verdict: 'decline', score: 1000, code: 'MANY' },
  text: { en: 'Many payments', zh: '付款过多' },
  mode: 'live',
  rollout: 100,
  examples: [],
};

const definition: ConfigurationDefinition = {
  ...packagesDefinition,
  rules: [manyRule, { ...manyRule, id: 'trial', mode: 'shadow' }],
};

/** A payment on its way, and what became of it. */
export interface SentPayment {
  readonly payment: object;
  answer: TransactionAnswer | null;
  answeredAtMs: number;
}

/**
 * The pipeline with a model, on time and disks that a test breaks at will. `check` holds what gateways were told against
 * ledger, decisions and a replay.
 */
export class LadderDriver {
  readonly time = new ManualTime(LADDER_START_MS);
  readonly ledgerDisk = new DiskFault(this.time);
  readonly decisionsDisk = new DiskFault(this.time);
  readonly model = new SlowModel(this.time);
  readonly sent = new Map<string, SentPayment>();
  readonly topology: TopologyDriver;

  private constructor() {
    const { metadata, onnx } = testPackage('lightgbm');
    this.topology = new TopologyDriver({
      definition,
      model: { metadata, onnx },
      ledger: new FaultyLedger(this.ledgerDisk),
      decisions: new FaultyDecisionStore(this.decisionsDisk),
      time: this.time,
      deadlineMs: DEADLINE_MS,
      settings: {
        maxBatch: 4,
        overload: { degradeAtRecords: 50, restoreAtRecords: 10, minIntervalMs: 1_000, slowBatchMs: DEADLINE_MS / 2 },
      },
    });
  }

  static async start(): Promise<LadderDriver> {
    const driver = new LadderDriver();
    await driver.topology.begin();
    return driver;
  }

  /** Sends a payment, and does not wait. An id that was sent is the same payment again. */
  send(transactionId: string): SentPayment {
    const number = this.sent.size;
    const payment = this.sent.get(transactionId)?.payment ?? {
      transactionId,
      eventTimeMs: this.time.nowMs,
      type: 'purchase',
      channel: 'card',
      amountMinor: 1_000 + number,
      currency: 'CNY',
      account: `a-${String(number % 7)}`,
      merchant: `m-${String(number % 3)}`,
    };
    const sent: SentPayment = { payment, answer: null, answeredAtMs: NaN };
    if (!this.sent.has(transactionId)) this.sent.set(transactionId, sent);
    void this.topology.submit(payment).then((answer) => {
      sent.answer = answer;
      sent.answeredAtMs = this.time.nowMs;
    });
    return sent;
  }

  /** Sends a payment and lets time pass until it is answered. */
  async pay(transactionId: string): Promise<TransactionAnswer> {
    const sent = this.send(transactionId);
    for (let passedMs = 0; sent.answer === null; passedMs += 10) {
      if (passedMs > 60_000) throw new Error(`${transactionId} got no answer in a minute`);
      await this.time.pass(10);
    }
    return sent.answer;
  }

  async verdict(transactionId: string): Promise<VerdictReply> {
    const answer = await this.pay(transactionId);
    if (answer.kind === 'verdict') return answer.verdict;
    throw new Error(`${transactionId}: ${answer.kind}`);
  }

  async setDegradation(degradation: Degradation): Promise<void> {
    const posture = { riskLevel: 'normal', degradation, expiresAtMs: null, reason: 'a drill' } as const;
    const answer = this.topology.pipeline.gateway.setPosture(posture, DRIVER_SENDER);
    await this.time.pass(0);
    if ((await answer).kind !== 'accepted') throw new Error('the posture was not taken');
  }

  /** What Sluice set by itself, in order. */
  async steps(): Promise<Degradation[]> {
    const records = await this.#records();
    return records.flatMap((record) =>
      record.kind === 'posture' && record.event.author === OVERLOAD_AUTHOR ? [record.event.degradation] : [],
    );
  }

  /** Ends it, replays it, and gives what is wrong: nothing should be. */
  async check(): Promise<string[]> {
    this.ledgerDisk.isFull = this.decisionsDisk.isFull = false;
    this.ledgerDisk.delayMs = this.decisionsDisk.delayMs = this.model.delayMs = 0;
    await this.time.pass(60_000);
    const again: [string, SentPayment, SentPayment][] = [];
    for (const [id, first] of [...this.sent]) again.push([id, first, this.send(id)]);
    await this.time.pass(10_000);
    this.model.restore();
    await this.topology.stop();
    const wrong: string[] = [];
    const [modes, fallbacks, decisions] = [await this.#modes(), await this.#fallbacks(), await this.#decisions()];
    for (const [id, first, retried] of again) {
      const told = verdictOf(first);
      const later = verdictOf(retried);
      const decision = decisions.get(id);
      if (first.answer === null) wrong.push(`${id}: no answer`);
      else if (told === null && first.answer.kind !== 'unavailable') wrong.push(`${id}: ${first.answer.kind}`);
      if (later === null || decision === undefined) {
        wrong.push(`${id}: no verdict at last`);
        continue;
      }
      if (decision.mode !== modes.get(decision.ledgerOffset))
        wrong.push(`${id}: decided ${decision.mode}, by the ledger ${String(modes.get(decision.ledgerOffset))}`);
      const fallback = fallbacks.get(id);
      for (const verdict of told === null ? [later] : [told, later]) {
        const expected =
          fallback === undefined
            ? [decision.verdict, decision.mode, decision.degraded]
            : [fallback.verdict, 'fallback', ['rules', 'model']];
        const got = [verdict.verdict, verdict.mode, verdict.degraded];
        if (JSON.stringify(got) !== JSON.stringify(expected))
          wrong.push(`${id}: told ${JSON.stringify(got)}, recorded ${JSON.stringify(expected)}`);
      }
      if (told !== null && later.status !== 'duplicate') wrong.push(`${id}: decided twice`);
    }
    const report = await this.topology.replay();
    if (report.different > 0 || report.undecided > 0) wrong.push(`replay: ${JSON.stringify(report)}`);
    return wrong;
  }

  async #records(): Promise<ReturnType<typeof decodeLedgerRecord>[]> {
    const rows = await this.topology.ledger.read(0, 100_000);
    return rows.map(({ value }) => decodeLedgerRecord(value));
  }

  /** The mode that each payment must have, by its offset: the further down of what was set and what overload asked for. */
  async #modes(): Promise<ReadonlyMap<number, DecisionMode>> {
    const modes = new Map<number, DecisionMode>();
    let [set, overload]: Degradation[] = ['full', 'full'];
    for (const [offset, record] of (await this.#records()).entries()) {
      if (record.kind === 'transaction')
        modes.set(
          offset,
          LADDER[Math.max(LADDER.indexOf(set ?? 'full'), LADDER.indexOf(overload ?? 'full'))] ?? 'full',
        );
      if (record.kind !== 'posture') continue;
      if (record.event.author === OVERLOAD_AUTHOR) overload = record.event.degradation;
      else set = record.event.degradation;
    }
    return modes;
  }

  async #fallbacks(): Promise<ReadonlyMap<string, Fallback>> {
    const records = await this.#records();
    return new Map(records.flatMap(({ kind, event }) => (kind === 'fallback' ? [[event.transactionId, event]] : [])));
  }

  async #decisions(): Promise<ReadonlyMap<string, Decision>> {
    const stored = await this.topology.decisions.read(0, Infinity);
    const decisions = stored.map(({ value }) => codecs.decision.decode(value));
    return new Map(decisions.filter(({ status }) => status === 'new').map((each) => [each.transactionId, each]));
  }
}

function verdictOf({ answer }: SentPayment): VerdictReply | null {
  return answer?.kind === 'verdict' ? answer.verdict : null;
}

import { afterEach, describe, expect, it } from 'vitest';
import { canonicalJson } from '../operators/canonicalJson.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import type { PublicationState, Refusal, RuleSetChange } from './gateway.ts';
import { DRIVER_SENDER, TopologyDriver, type TopologyDriverOptions } from './testing/topologyDriver.ts';

const thresholds = { challenge: 600, review: 800, decline: 930 };
const amount: RuleDefinition = {
  id: 'amount',
  version: 1,
  owner: 'risk',
  when: 'tx.amountMinor > p.limit',
  params: { limit: 1_000 },
  then: { verdict: 'review', score: 700, code: 'AMOUNT' },
  text: { en: 'A large amount', zh: '大额' },
  mode: 'live',
  rollout: 100,
  examples: [{ given: { tx: { amountMinor: 1_001 } }, expect: 'fires' }],
};
const definition: ConfigurationDefinition = {
  ruleSetVersion: 'test.1',
  latenessMs: 0,
  recentIds: 100,
  features: [],
  rules: [amount],
  lists: [],
  policy: { thresholds: { normal: thresholds, elevated: thresholds, lockdown: thresholds }, maxReasons: 5 },
};
const guarded: ConfigurationDefinition = { ...definition, approvals: 1 };
const [ann, bob] = ['ann', 'bob'].map((source) => ({ ...DRIVER_SENDER, source }));
if (ann === undefined || bob === undefined) throw new Error('no people');

const running: TopologyDriver[] = [];

async function start(options: TopologyDriverOptions): Promise<TopologyDriver> {
  const driver = await TopologyDriver.start(options);
  running.push(driver);
  return driver;
}

afterEach(async () => {
  for (const driver of running.splice(0)) {
    await driver.stop();
    expect(await driver.replay()).toMatchObject({ different: 0, differences: [] });
  }
});

let payments = 0;

async function verdict(driver: TopologyDriver): Promise<unknown> {
  const payment = {
    transactionId: `t-${String(payments++)}`,
    eventTimeMs: driver.nowMs,
    type: 'purchase',
    channel: 'card',
    amountMinor: 5_000,
    currency: 'CNY',
    account: 'a-1',
  };
  const answer = await driver.submit(payment);
  return answer.kind === 'verdict' ? `${answer.verdict.verdict} ${answer.verdict.ruleSet}` : answer;
}

async function done({ pipeline }: TopologyDriver, refusal: Refusal | null): Promise<PublicationState> {
  expect(refusal).toBeNull();
  for (;;) {
    const state = pipeline.gateway.publication();
    if (state.stage !== 'backfilling' && state.stage !== 'publishing') return state;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const change = (driver: TopologyDriver, wanted: RuleSetChange, sender = ann): Promise<Refusal | null> =>
  driver.pipeline.gateway.changeRules(wanted, { reason: 'because' }, sender);
const set = (mode: RuleDefinition['mode'], rollout: number | null = null): RuleSetChange => {
  return { kind: 'set', rule: 'amount', mode, rollout };
};
const put = (...rules: readonly RuleDefinition[]): RuleSetChange => ({ kind: 'rules', rules, removed: [] });

describe('a rule', () => {
  it('goes from live to shadow, off and back to an earlier rule set, each from its offset on', async () => {
    const driver = await start({ definition });
    expect(await verdict(driver)).toBe('review test.1');
    expect(await done(driver, await change(driver, set('shadow')))).toMatchObject({
      stage: 'published',
      version: 'test.2',
    });
    expect(await verdict(driver)).toBe('approve test.2');
    await done(driver, await change(driver, set('live', 0)));
    expect(await verdict(driver)).toBe('approve test.3');
    await done(driver, await change(driver, { kind: 'rollback', version: 'test.1' }));
    expect(await verdict(driver)).toBe('review test.1');
    const { publications } = await driver.pipeline.gateway.publicationHistory({
      before: null,
      limit: 9,
      rule: 'amount',
    });
    expect(publications.map(({ version, author, changes }) => [version, author, changes[0]?.fields])).toEqual([
      ['test.1', 'ann', ['rollout']],
      ['test.3', 'ann', ['mode', 'rollout']],
      ['test.2', 'ann', ['mode']],
      ['test.1', 'deployment', []],
    ]);
    expect(driver.pipeline.gateway.ruleSet()).toMatchObject({
      version: 'test.1',
      author: 'ann',
      nextVersion: 'test.4',
    });
  });

  it('that is changed gets another version, and a new one is added', async () => {
    const driver = await start({ definition });
    const other = { ...amount, params: { limit: 9_000 }, examples: [] };
    await done(driver, await change(driver, put(other, { ...other, id: 'more' })));
    expect(await verdict(driver)).toBe('approve test.2');
    const rules = driver.pipeline.gateway.ruleSet()?.rules ?? [];
    expect(rules.map(({ id, version }) => [id, version])).toEqual([
      ['amount', 2],
      ['more', 1],
    ]);
    await done(driver, await change(driver, { kind: 'rules', rules: [], removed: ['amount', 'more'] }));
    expect(driver.pipeline.gateway.ruleSet()?.rules).toEqual([]);
  });

  it('that does not compile, whose example fails, or that there is not, is refused; a test says why', async () => {
    const driver = await start({ definition });
    const code = async (wanted: RuleSetChange): Promise<unknown> => (await change(driver, wanted))?.code;
    const broken = { ...amount, when: 'tx.amount >' };
    const failing = { ...amount, when: 'tx.amountMinor < p.limit' };
    expect(await code(put(broken))).toMatch(/^SLUICE_RULE_|^SLUICE_CEL_/);
    expect(await code(put(failing))).toBe('SLUICE_RULE_EXAMPLE');
    expect(await code({ kind: 'set', rule: 'none', mode: 'off', rollout: null })).toBe('SLUICE_RULE_UNKNOWN');
    expect(await code({ kind: 'rules', rules: [], removed: ['none'] })).toBe('SLUICE_RULE_UNKNOWN');
    expect(await code({ kind: 'rollback', version: null })).toBe('SLUICE_VERSION_UNKNOWN');
    expect(await code({ kind: 'rollback', version: 'test.7' })).toBe('SLUICE_VERSION_UNKNOWN');
    const whole = canonicalJson({ ...definition, ruleSetVersion: 'test.2', rules: [failing] });
    const request = { content: whole, replaces: null, reason: '' };
    expect(await driver.pipeline.gateway.publish(request, ann)).toMatchObject({ code: 'SLUICE_RULE_EXAMPLE' });
    expect(await driver.pipeline.gateway.testRules(put(failing))).toMatchObject({
      problems: [
        { code: 'SLUICE_RULE_EXAMPLE', message: "rule 'amount', example 1: expected to fire, but stays silent" },
      ],
      changes: [{ rule: 'amount', fields: ['version', 'when'] }],
      diff: expect.stringContaining('-when: tx.amountMinor > p.limit\n+when: tx.amountMinor < p.limit\n') as string,
    });
    expect(await verdict(driver)).toBe('review test.1');
    expect(driver.ledger.endOffset()).toBe(2);
  });
});

describe('where a second person must agree', () => {
  it('a change waits for one, and its author is none', async () => {
    const driver = await start({ definition: guarded });
    const { gateway } = driver.pipeline;
    const proposed = await done(driver, await change(driver, set('off')));
    expect(proposed).toMatchObject({ stage: 'proposed', version: 'test.2' });
    expect(await verdict(driver)).toBe('review test.1');
    const ledgerOffset = proposed.ledgerOffset ?? -1;
    expect(await gateway.proposals()).toMatchObject([
      { ledgerOffset, author: 'ann', reason: 'because', effect: 'open' },
    ]);
    const answer = { ledgerOffset, answer: 'approve', reason: 'fine' } as const;
    expect(await gateway.answerProposal(answer, ann)).toMatchObject({ code: 'SLUICE_PROPOSAL_OWN' });
    expect(await done(driver, await gateway.answerProposal(answer, bob))).toMatchObject({ stage: 'published' });
    expect(await verdict(driver)).toBe('approve test.2');
    expect(await gateway.answerProposal(answer, bob)).toMatchObject({
      code: 'SLUICE_PROPOSAL_UNKNOWN',
      message: 'it was approved already',
    });
    expect(await gateway.publicationDetails(ledgerOffset)).toMatchObject({
      effect: 'approved',
      changes: [{ rule: 'amount', fields: ['mode'] }],
      configuration: { ruleSetVersion: 'test.2' },
    });
  });

  it('a proposal ends when it is rejected, or when what it was made from is gone', async () => {
    const driver = await start({ definition: guarded });
    const { gateway } = driver.pipeline;
    const propose = async (wanted: RuleSetChange): Promise<number> =>
      (await done(driver, await change(driver, wanted))).ledgerOffset ?? -1;
    const [first, second, third] = [
      await propose(set('off')),
      await propose(set('shadow')),
      await propose(set('live', 9)),
    ];
    const reject = { ledgerOffset: first, answer: 'reject', reason: 'no' } as const;
    expect(await done(driver, await gateway.answerProposal(reject, ann))).toMatchObject({ stage: 'rejected' });
    const approve = (ledgerOffset: number): Promise<Refusal | null> =>
      gateway.answerProposal({ ledgerOffset, answer: 'approve', reason: '' }, bob);
    expect(await approve(first)).toMatchObject({ message: 'it was rejected' });
    await done(driver, await approve(second));
    expect((await approve(third))?.message).toMatch(/no longer in force/);
    expect(await gateway.proposals()).toEqual([]);
  });

  it('no restart takes its place, and an open proposal is there after one', async () => {
    const first = await start({ definition: guarded });
    const { ledgerOffset } = await done(first, await change(first, set('off')));
    const { ledger, decisions, models } = first;
    await first.stop();
    running.length = 0;
    const other = { ...guarded, ruleSetVersion: 'test.9', rules: [] };
    const second = await start({ definition: other, ledger, decisions, models });
    expect(second.logged.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/second person must agree/),
    );
    expect(await verdict(second)).toBe('review test.1');
    expect(await second.pipeline.gateway.proposals()).toMatchObject([{ ledgerOffset }]);
  });
});

describe('a start', () => {
  it('publishes a folder that is new, and never one that was replaced while Sluice ran', async () => {
    const first = await start({ definition });
    await done(first, await change(first, set('off')));
    const stores = { ledger: first.ledger, decisions: first.decisions, models: first.models };
    await first.stop();
    running.length = 0;
    // The folder stayed behind: the command ended between the publication and the folder's change.
    const second = await start({ definition, ...stores });
    expect(await verdict(second)).toBe('approve test.2');
    expect(second.logged.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/holds version test\.1, which was replaced while Sluice ran: see sluice rules list/),
    );
    await second.stop();
    running.length = 0;
    const third = await start({ definition: { ...definition, ruleSetVersion: 'test.3' }, ...stores });
    expect(await verdict(third)).toBe('review test.3');
  });
});

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { openLmdb } from '../../infra/lmdb/openLmdb.ts';
import { codecs } from '../../schemas/codec.ts';
import { HELD_OUT_CAMPAIGNS } from '../../pipeline/simulate/campaigns/index.ts';
import type { Verdict } from '../../schemas/types.ts';
import {
  FALSE_BLOCKS,
  interceptionMarkdown,
  interceptions,
  severityOf,
  type Interceptions,
  type JudgedPayment,
} from './interception.ts';

export type VerdictCounts = Record<Verdict, number>;

/** What a deployment decided about simulated payments, against the simulated truth. */
export interface Judgement {
  readonly name: string;
  readonly genuine: VerdictCounts;
  /** By campaign. */
  readonly frauds: ReadonlyMap<string, VerdictCounts>;
  /** What the deployment intercepts at the false blocks that are bearable. */
  readonly interceptions: Interceptions;
  /** Live rules: genuine payments and frauds they fired on. */
  readonly rules: ReadonlyMap<string, { readonly genuine: number; readonly fraud: number }>;
}

const READ_RECORDS = 2_048;
const UNSEEN: ReadonlySet<string> = new Set(HELD_OUT_CAMPAIGNS.map(({ name }) => name));

/** `payments` is a file of `sluice simulate` (.ndjson.gz), `dataFolder` what it was imported into. */
export async function judge(name: string, payments: string, dataFolder: string): Promise<Judgement> {
  const campaigns = await fraudCampaigns(payments);
  const genuine = noVerdicts();
  const frauds = new Map<string, VerdictCounts>();
  const rules = new Map<string, { genuine: number; fraud: number }>();
  const judged: JudgedPayment[] = [];
  for await (const bytes of decisionsOf(dataFolder)) {
    const decision = codecs.decision.decode(bytes);
    const { campaign, amountMinor } = campaigns.get(decision.transactionId) ?? { campaign: undefined, amountMinor: 0 };
    judged.push({ campaign: campaign ?? null, severity: severityOf(decision), amountMinor });
    if (campaign === undefined) genuine[decision.verdict]++;
    else atKey(frauds, campaign, noVerdicts)[decision.verdict]++;
    for (const { rule, mode } of decision.rulesFired) {
      if (mode === 'live')
        atKey(rules, rule, () => ({ genuine: 0, fraud: 0 }))[campaign === undefined ? 'genuine' : 'fraud']++;
    }
  }
  return { name, genuine, frauds, rules, interceptions: interceptions(judged) };
}

export function judgementMarkdown({ name, genuine, frauds, rules, interceptions: found }: Judgement): string {
  const allGenuine = total(genuine);
  const rows = [...frauds].sort(([one], [other]) => (one < other ? -1 : 1));
  const fired = [...rules].sort(([, one], [, other]) => other.genuine - one.genuine);
  const allFrauds = rows.reduce((sum, [, counts]) => addCounts(sum, counts), noVerdicts());
  return [
    `\`${name}\`: ${count(allGenuine)} genuine payments, ${count(total(allFrauds))} frauds.`,
    '',
    '| | payments | challenged | to review | declined | any of them |',
    '|---|---|---|---|---|---|',
    verdictRow('genuine', genuine),
    ...rows.map(([campaign, counts]) => verdictRow(campaign, counts)),
    '',
    `At no more than ${String(100 * FALSE_BLOCKS)}% false blocks, by the decisions' severity:`,
    '',
    interceptionMarkdown(name, found, UNSEEN),
    '| rule | fired on genuine payments | on frauds |',
    '|---|---|---|',
    ...fired.map(([rule, hits]) => `| ${rule} | ${percent(hits.genuine, allGenuine, 3)} | ${count(hits.fraud)} |`),
    '',
  ].join('\n');
}

const lineSchema = z.object({
  kind: z.string(),
  campaign: z.string().default(''),
  fraud: z.boolean().default(false),
  event: z.object({ transactionId: z.string(), amountMinor: z.number().default(0) }),
});

/** By transaction id of the frauds: their campaigns and amounts. */
async function fraudCampaigns(
  payments: string,
): Promise<ReadonlyMap<string, { readonly campaign: string; readonly amountMinor: number }>> {
  const campaigns = new Map<string, { readonly campaign: string; readonly amountMinor: number }>();
  const lines = createInterface({ input: createReadStream(payments).pipe(createGunzip()), crlfDelay: Infinity });
  for await (const text of lines) {
    if (!text.includes('"fraud":true')) continue;
    const { kind, campaign, fraud, event } = lineSchema.parse(JSON.parse(text));
    if (kind === 'transaction' && fraud)
      campaigns.set(event.transactionId, { campaign, amountMinor: event.amountMinor });
  }
  return campaigns;
}

/** The decisions of a data folder as they are stored, in the ledger's order. */
export async function* decisionsOf(dataFolder: string): AsyncGenerator<Buffer, void, undefined> {
  const data = openLmdb(dataFolder, { readOnly: true });
  const end = data.ledger.endOffset();
  for (let offset = 0; offset < end; offset += READ_RECORDS) {
    for (const { value } of await data.decisions.read(offset, Math.min(end, offset + READ_RECORDS))) {
      yield value;
    }
  }
  await data.close();
}

function verdictRow(name: string, counts: VerdictCounts): string {
  const all = total(counts);
  const cells = [counts.challenge, counts.review, counts.decline, all - counts.approve].map((part) =>
    percent(part, all, 2),
  );
  return `| ${name} | ${count(all)} | ${cells.join(' | ')} |`;
}

function noVerdicts(): VerdictCounts {
  return { approve: 0, challenge: 0, review: 0, decline: 0 };
}

function addCounts(one: VerdictCounts, other: VerdictCounts): VerdictCounts {
  return {
    approve: one.approve + other.approve,
    challenge: one.challenge + other.challenge,
    review: one.review + other.review,
    decline: one.decline + other.decline,
  };
}

function total({ approve, challenge, review, decline }: VerdictCounts): number {
  return approve + challenge + review + decline;
}

function atKey<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function percent(part: number, all: number, digits: number): string {
  return all === 0 ? '-' : `${((100 * part) / all).toFixed(digits)}%`;
}

import type { Decision, Verdict } from '../../schemas/types.ts';

/** Genuine payments that may be blocked for what is intercepted. */
export const FALSE_BLOCKS = 0.003;

/** One decided payment: what it truly is, and how severely it was decided. */
export interface JudgedPayment {
  /** Null: genuine. */
  readonly campaign: string | null;
  /** Greater is more severe. */
  readonly severity: number;
  readonly amountMinor: number;
}

/** What of one campaign is blocked where blocking begins at a severity that at most FALSE_BLOCKS of genuine payments have. */
export interface Interception {
  readonly campaign: string;
  readonly payments: number;
  readonly blocked: number;
  readonly blockedAmountShare: number;
}

export interface Interceptions {
  readonly genuine: number;
  readonly falseBlocks: number;
  /** The least intercepted first. */
  readonly campaigns: readonly Interception[];
}

const VERDICTS: readonly Verdict[] = ['approve', 'challenge', 'review', 'decline'];

/** A decision in one number: by verdict, and within a verdict by score. */
export function severityOf({ verdict, score }: Pick<Decision, 'verdict' | 'score'>): number {
  return VERDICTS.indexOf(verdict) * 2_000 + score;
}

/** Blocks from the least severity on that keeps false blocks within the bound. */
export function interceptions(payments: readonly JudgedPayment[]): Interceptions {
  const genuine = payments.filter(({ campaign }) => campaign === null).map(({ severity }) => severity);
  genuine.sort((one, other) => other - one);
  // The first that may no longer be blocked: whoever is as severe is not either.
  const first = genuine[Math.floor(genuine.length * FALSE_BLOCKS)] ?? -1;
  const isBlocked = ({ severity }: JudgedPayment): boolean => severity > first;
  const byCampaign = new Map<string, JudgedPayment[]>();
  for (const payment of payments) {
    if (payment.campaign === null) continue;
    const of = byCampaign.get(payment.campaign);
    if (of === undefined) byCampaign.set(payment.campaign, [payment]);
    else of.push(payment);
  }
  const amount = (of: readonly JudgedPayment[]): number => of.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const campaigns = [...byCampaign].map(([campaign, of]): Interception => {
    const blocked = of.filter(isBlocked);
    const all = amount(of);
    return {
      campaign,
      payments: of.length,
      blocked: blocked.length,
      blockedAmountShare: all === 0 ? 0 : amount(blocked) / all,
    };
  });
  campaigns.sort((one, other) => one.blocked / one.payments - other.blocked / other.payments);
  return { genuine: genuine.length, falseBlocks: genuine.filter((severity) => severity > first).length, campaigns };
}

export function interceptionMarkdown(name: string, found: Interceptions, unseen: ReadonlySet<string>): string {
  const { genuine, falseBlocks, campaigns } = found;
  const [worst] = campaigns;
  const share = (part: number): string => `${(100 * part).toFixed(1)}%`;
  return [
    `\`${name}\`: ${falseBlocks.toLocaleString('en')} of ${genuine.toLocaleString('en')} genuine payments blocked (${((100 * falseBlocks) / genuine).toFixed(3)}%). ` +
      (worst === undefined ? '' : `The worst: ${worst.campaign}, ${share(worst.blocked / worst.payments)}.`),
    '',
    '| campaign | payments | intercepted | of their amount |',
    '|---|---|---|---|',
    ...campaigns.map(
      ({ campaign, payments, blocked, blockedAmountShare }) =>
        `| ${campaign}${unseen.has(campaign) ? ' (never trained on)' : ''} | ${payments.toLocaleString('en')} | ${share(blocked / payments)} | ${share(blockedAmountShare)} |`,
    ),
    '',
  ].join('\n');
}

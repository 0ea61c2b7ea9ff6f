import type { LetThrough, Reason, ReasonText, RiskLevel, Transaction, Verdict } from '../schemas/types.ts';
import type { ListDefinition, PolicyDefinition, Thresholds } from './definitions.ts';
import { compileLetThrough } from './letThrough.ts';
import { compileRuleGroups, type RulePoints } from './rules/ruleGroups.ts';
import type { CompiledRule } from './rules/ruleSet.ts';

/** Everything a verdict is made of. */
export interface PolicyInput {
  readonly transaction: Transaction;
  /** Block and allow lists that the payment is on, as ListHits finds them. */
  readonly listHits: readonly ListDefinition[];
  /** Live rules that fired, in order. */
  readonly firedRules: readonly CompiledRule[];
  /** 0 to 1000; NaN when no model scored. */
  readonly modelScore: number;
  /** Why the model scored so, greatest share first; empty where the model gives no reasons. */
  readonly modelReasons: readonly Reason[];
  readonly riskLevel: RiskLevel;
}

export interface PolicyDecision {
  readonly verdict: Verdict;
  /** 0 to 1000, whole. */
  readonly score: number;
  /** Most severe first: by verdict, then score, then lists, rules in order, model. At most maxReasons. */
  readonly reasons: readonly Reason[];
  /** What it would have been, of a payment that is approved only to measure declines. */
  readonly letThrough: LetThrough | null;
  readonly points: RulePoints;
}

export interface Policy {
  decide(input: PolicyInput): PolicyDecision;
}

const maxScore = 1000;
const severity: Readonly<Record<Verdict, number>> = { approve: 0, challenge: 1, review: 2, decline: 3 };
const modelText: ReasonText = {
  en: 'The model finds this payment much like known fraud',
  zh: '模型判断该笔支付与已知欺诈高度相似',
};

/**
 * Turns lists, rules and score into one verdict. The most severe of the fired rules' verdicts and the model's wins
 * (decline > review > challenge > approve). A block list declines whatever else holds; an allow list approves over
 * rules and model, and is then the only reason given (the rules that fired stay in the decision's rulesFired).
 * The model's verdict is that of the greatest threshold its score reaches at the risk level, and so is that of the rule groups' points
 * (rules/ruleGroups.ts). The score is the greatest of the model's, the points, and the fired rules' own that are in no group. Of what rules and model decline, a
 * configured share is let through (letThrough.ts); what is on a block list never is.
 */
export function compilePolicy(definition: PolicyDefinition): Policy {
  const { letThrough } = definition;
  const percent = letThrough?.percent ?? 0;
  const pointsOf = compileRuleGroups(definition.ruleGroups ?? []);
  const letsThrough = letThrough === undefined ? null : compileLetThrough(letThrough);
  return {
    decide(input) {
      const points = pointsOf(input.firedRules);
      const blocks = input.listHits.filter(({ kind }) => kind === 'block');
      const allows = input.listHits.filter(({ kind }) => kind === 'allow');
      if (blocks.length === 0 && allows.length > 0) {
        const reasons = allows.map((list) => listReason('ALLOW_LIST', list)).slice(0, definition.maxReasons);
        return { verdict: 'approve', score: 0, reasons, letThrough: null, points };
      }
      const modelScore = Number.isNaN(input.modelScore) ? 0 : Math.round(input.modelScore);
      const thresholds = definition.thresholds[input.riskLevel];
      const modelVerdict = verdictOf(modelScore, thresholds);
      const pointsVerdict = verdictOf(points.total, thresholds);
      let verdict = severity[pointsVerdict] > severity[modelVerdict] ? pointsVerdict : modelVerdict;
      let score = Math.max(modelScore, points.total);
      const ranked: RankedReason[] = blocks.map((list) => ({
        severity: severity.decline,
        score: maxScore,
        reason: listReason('BLOCK_LIST', list),
      }));
      for (const { definition: rule, reason } of input.firedRules) {
        const { group, then } = rule;
        const isInPoints = group !== undefined && points.groups.some((each) => each.group === group && each.points > 0);
        const by = isInPoints ? Math.max(severity[then.verdict], severity[pointsVerdict]) : severity[then.verdict];
        if (by > 0) ranked.push({ severity: by, score: then.score, reason });
        if (severity[then.verdict] > severity[verdict]) verdict = then.verdict;
        if (group === undefined) score = Math.max(score, then.score);
      }
      if (modelVerdict !== 'approve') {
        const reasons = input.modelReasons.length > 0 ? input.modelReasons : [modelReason];
        for (const reason of reasons) ranked.push({ severity: severity[modelVerdict], score: modelScore, reason });
      }
      if (blocks.length > 0) [verdict, score] = ['decline', maxScore];
      // Array sort is stable, so equals keep the order lists, rules, model.
      ranked.sort((a, b) => b.severity - a.severity || b.score - a.score);
      const reasons = ranked.slice(0, definition.maxReasons).map(({ reason }) => reason);
      if (verdict !== 'decline' || blocks.length > 0 || letsThrough?.(input.transaction, input.riskLevel) !== true)
        return { verdict, score, reasons, letThrough: null, points };
      // Nothing of what the gateway is told may differ from another approval.
      return { verdict: 'approve', score: 0, reasons: [], letThrough: { verdict, score, reasons, percent }, points };
    },
  };
}

interface RankedReason {
  readonly severity: number;
  readonly score: number;
  readonly reason: Reason;
}

function verdictOf(score: number, thresholds: Thresholds): Verdict {
  if (score >= thresholds.decline) return 'decline';
  if (score >= thresholds.review) return 'review';
  if (score >= thresholds.challenge) return 'challenge';
  return 'approve';
}

const modelReason: Reason = {
  code: 'MODEL',
  rule: null,
  version: null,
  list: null,
  feature: null,
  contribution: null,
  value: null,
  text: modelText,
};

function listReason(code: 'BLOCK_LIST' | 'ALLOW_LIST', { name, text }: ListDefinition): Reason {
  const overridden =
    code === 'ALLOW_LIST'
      ? { en: `${text.en} (allow list: rules and model do not apply)`, zh: `${text.zh}（白名单：不适用规则与模型）` }
      : { en: text.en, zh: text.zh };
  return {
    code,
    rule: null,
    version: null,
    list: name,
    feature: null,
    contribution: null,
    value: null,
    text: overridden,
  };
}

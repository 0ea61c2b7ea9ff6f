import { loadDeployment, type Deployment } from '../infra/deployment/loadDeployment.ts';
import { Scorer } from '../models/scorer.ts';
import { bareContext } from '../operators/cel/bareContext.ts';
import type { EvaluationContext } from '../operators/cel/context.ts';
import { emptyRuleResults } from '../operators/rules/ruleSet.ts';
import type { Transaction } from '../schemas/types.ts';
import { median, significant, type Measurement } from './benchmark.ts';
import { newEngine } from './newEngine.ts';
import { simulatedLedger } from './simulatedLedger.ts';
import { withRules } from './withRules.ts';

export interface RulesBenchmarkOptions {
  readonly config: string;
  readonly rules: number;
  /** How many payments the rules are evaluated on, after as many that only fill the windows. */
  readonly payments: number;
  readonly repetitions: number;
}

const BATCH_RECORDS = 256;
const WARM_UP_ROUNDS = 5;

/**
 * The rules alone: every rule on simulated payments, with the features and the model's score that the engine found for them.
 * One thread; nothing else of a decision is in it.
 */
export async function benchmarkRules(options: RulesBenchmarkOptions): Promise<Measurement> {
  const loaded = await loadDeployment(options.config);
  if (!loaded.ok) throw new Error(`${options.config} is not a sound deployment; see: sluice check ${options.config}`);
  const { deployment } = loaded;
  const { ruleSet } = withRules(deployment.definition, options.rules, false);
  const { payments, context } = await decidedPayments(deployment, options.payments);
  const results = emptyRuleResults();
  const width = deployment.configuration.catalogue.names.length;
  let fired = 0;
  let errors = 0;
  const round = (): void => {
    fired = 0;
    errors = 0;
    for (const [index, { transaction, probability, score }] of payments.entries()) {
      context.tx = transaction;
      context.featureBase = index * width;
      context.modelProbability = probability;
      context.modelScore = score;
      ruleSet.evaluate(context, results);
      fired += results.fired.length;
      errors += results.errors.length;
    }
  };
  for (let each = 0; each < WARM_UP_ROUNDS; each++) round();
  const timesUs: number[] = [];
  const cpuUs: number[] = [];
  for (let each = 0; each < options.repetitions; each++) {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    round();
    timesUs.push((1e3 * (performance.now() - startMs)) / payments.length);
    const { user, system } = process.cpuUsage(cpu);
    cpuUs.push((user + system) / payments.length);
  }
  return {
    fields: {
      us_per_evaluation: significant(median(timesUs)),
      min_us: significant(Math.min(...timesUs)),
      cpu_us: significant(median(cpuUs)),
      rules: ruleSet.rules.length,
      fired_per_payment: significant(fired / payments.length),
      errors,
      payments: payments.length,
    },
    conditions:
      `all rules of ${deployment.name}, over and over with other limits, on simulated payments with their features and scores; ` +
      `lists and snoozes empty; median of ${options.repetitions} rounds`,
  };
}

interface DecidedPayment {
  readonly transaction: Transaction;
  readonly probability: number;
  readonly score: number;
}

/** The last so many payments of a ledger of twice as many, and a context with their features, a row each. */
async function decidedPayments(
  deployment: Deployment,
  count: number,
): Promise<{ readonly payments: readonly DecidedPayment[]; readonly context: EvaluationContext }> {
  const { model } = deployment;
  const scorer = model === null ? null : await Scorer.load(model.metadata, model.onnx);
  const engine = newEngine(deployment, scorer);
  const rows = simulatedLedger(deployment, 2 * count);
  const decided = [];
  for (let start = 0; start < rows.length; start += BATCH_RECORDS)
    for (const output of await engine.process(rows.slice(start, start + BATCH_RECORDS))) decided.push(output);
  const last = decided.slice(-count);
  const payments = last.map(({ transaction, decision: { modelScore } }) => ({
    transaction,
    probability: modelScore ?? NaN,
    score: modelScore === null || scorer === null ? NaN : scorer.score(modelScore),
  }));
  const features = Float64Array.from(last.flatMap(({ decision }) => decision.features));
  return { payments, context: bareContext({ features, lists: engine.lists }) };
}

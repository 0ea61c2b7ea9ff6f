import { Command } from 'commander';
import { backtest } from '../pipeline/backtest/backtest.ts';
import type { BacktestReport } from '../pipeline/backtest/backtestReport.ts';
import { GATE_DAYS } from '../pipeline/backtest/publicationGate.ts';
import { MAX_BACKTEST_DAYS, MAX_BACKTEST_DECISIONS, type BacktestSpan } from '../pipeline/backtest/historyFacts.ts';
import type { Deployment } from '../infra/deployment/loadDeployment.ts';
import { backtestText } from './backtestText.ts';
import { requireDeployment } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import { numberOption } from './options.ts';
import { UserError } from './userError.ts';

export function rulesBacktestCommand(): Command {
  const command = new Command('backtest').description(
    'Tell which verdicts would change if the rule set of --config were published: over the history, against the one in force.',
  );
  return withHistoryOptions(command)
    .addOption(
      numberOption('--days <n>', `the last so many days of history (default: ${GATE_DAYS})`, 1, MAX_BACKTEST_DAYS),
    )
    .addOption(numberOption('--decisions <n>', 'instead: the newest so many payments', 1, MAX_BACKTEST_DECISIONS))
    .option('--json', 'the report as JSON, amounts in minor units')
    .addHelpText(
      'after',
      `
Every payment is decided anew by both rule sets, with features, model score, lists and risk level as they were when it came.
What history cannot tell is counted as unknown and said below the report. Precision and recall are by the labels known by now.`,
    )
    .action(async (options: BacktestOptions) => {
      const deployment = await requireDeployment(options.config);
      const report = await backtestDeployment(deployment, options, spanOf(options));
      process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : backtestText(report));
    });
}

interface BacktestOptions extends HistoryAccessOptions {
  readonly days?: number;
  readonly decisions?: number;
  readonly json?: boolean;
}

/** What publishing a deployment's rule set would have changed. */
export async function backtestDeployment(
  deployment: Deployment,
  access: HistoryAccessOptions,
  span: BacktestSpan,
): Promise<BacktestReport> {
  const { configuration, settings } = deployment;
  return askHistory(deployment, access, (reader) =>
    backtest(configuration, span, settings.review, reader.backtestRows()),
  );
}

function spanOf({ days, decisions }: BacktestOptions): BacktestSpan {
  if (days !== undefined && decisions !== undefined) throw new UserError('Give --days or --decisions, not both.', 2);
  if (decisions !== undefined) return { kind: 'decisions', decisions };
  return { kind: 'days', days: days ?? GATE_DAYS };
}

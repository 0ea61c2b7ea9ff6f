import { Command } from 'commander';
import { HAS_DISTRIBUTIONS_QUERY, newestDriftQuery } from '../infra/clickhouse/driftQuery.ts';
import { requireDeployment } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import { numberOption } from './options.ts';
import { textTable } from './textTable.ts';
import { UserError } from './userError.ts';

/** Chance alone gives an index of about (bins - 1) / payments: with fewer, a tenth means nothing. */
const FEW_PAYMENTS = 1_000;
const LOOK_AT = 0.1;
const OTHER_POPULATION = 0.25;

interface DriftOptions extends HistoryAccessOptions {
  readonly last: number;
  readonly json?: boolean;
}

export function modelsDriftCommand(): Command {
  const command = new Command('drift')
    .description('How far the features and the score of live payments lie from training, the worst first (PSI).')
    .addOption(numberOption('--last <payments>', 'the newest of them', 100, 10_000_000).default(100_000));
  return withHistoryOptions(command)
    .option('--json', 'the table as JSON')
    .action(async (options: DriftOptions) => {
      const deployment = await requireDeployment(options.config);
      const query = newestDriftQuery(deployment.configuration.catalogue.names, options.last);
      const rows = await askHistory(deployment, options, async (reader) => {
        const [[tables = 0] = []] = await reader.numberRows(HAS_DISTRIBUTIONS_QUERY);
        return tables === 0 ? [] : reader.rows(query);
      });
      const lines = rows.map(lineOf);
      if (lines.length === 0)
        throw new UserError(
          'There is nothing to compare: no payment was scored yet, or model.json has no trainingDistribution. train.py writes it, ' +
            'models/training/distribution.py adds it to a model that has none; register or start that model then.',
        );
      process.stdout.write(options.json === true ? `${JSON.stringify(lines, null, 2)}\n` : text(lines));
    });
}

interface DriftLine {
  readonly model: string;
  readonly feature: string;
  readonly payments: number;
  readonly psi: number;
  readonly liveUndefined: number;
  readonly trainingUndefined: number;
}

function lineOf(row: Readonly<Record<string, unknown>>): DriftLine {
  return {
    model: `${String(row['model_id'])}@${String(row['model_version'])}`,
    feature: String(row['feature']),
    payments: Number(row['payments']),
    psi: Number(row['psi']),
    liveUndefined: Number(row['live_undefined']),
    trainingUndefined: Number(row['training_undefined']),
  };
}

function text(lines: readonly DriftLine[]): string {
  const table = textTable(
    [
      ['model', 'feature', 'payments', 'PSI', '', 'undefined', 'in training'],
      ...lines.map(({ model, feature, payments, psi, liveUndefined, trainingUndefined }) => [
        model,
        feature,
        payments.toLocaleString('en'),
        psi.toFixed(3),
        bandOf(psi),
        share(liveUndefined),
        share(trainingUndefined),
      ]),
    ],
    [0, 1, 4],
  );
  const count = (from: number, to: number): number => lines.filter(({ psi }) => psi >= from && psi < to).length;
  const far = count(OTHER_POPULATION, Infinity);
  const near = count(-Infinity, LOOK_AT);
  const least = Math.min(...lines.map(({ payments }) => payments));
  const few = `Only ${least.toLocaleString('en')} payments: fewer than ${FEW_PAYMENTS.toLocaleString('en')} differ from training by chance.\n`;
  return (
    `${table}${far} above ${OTHER_POPULATION} (another population), ${count(LOOK_AT, OTHER_POPULATION)} from ${LOOK_AT} (look at it), ` +
    `${near} below (as in training)\n${least < FEW_PAYMENTS ? few : ''}`
  );
}

function bandOf(psi: number): string {
  if (psi >= OTHER_POPULATION) return 'another population';
  return psi >= LOOK_AT ? 'look at it' : 'as in training';
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)}%`;
}

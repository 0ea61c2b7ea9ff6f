import { Command } from 'commander';
import {
  bandsQuery,
  comparisonQuery,
  FALSE_POSITIVE_RATE,
  SCORE_QUANTILES,
  scoredQuery,
} from '../infra/clickhouse/modelComparisonQuery.ts';
import { requireDeployment } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import { modelNameText, parseModelName, type ModelName } from './modelName.ts';
import { numberOption } from './options.ts';
import { textTable } from './textTable.ts';
import { UserError } from './userError.ts';

/** Fewer frauds than this tell no two models apart. */
const FEW_FRAUDS = 50;
const BANDS = ['approve', 'challenge', 'review', 'decline'] as const;

interface CompareOptions extends HistoryAccessOptions {
  readonly last: number;
  readonly json?: boolean;
}

interface ModelFigures {
  readonly payments: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly frauds: number;
  readonly genuine: number;
  readonly meanScore: number;
  /** In the order of SCORE_QUANTILES. */
  readonly quantiles: readonly number[];
  readonly rocAuc: number;
  readonly averagePrecision: number;
  readonly recall: number;
}

export function modelsCompareCommand(): Command {
  const command = new Command('compare')
    .description('Two models on the same payments: how they score, where they disagree, which finds more fraud.')
    .argument('<champion>', 'as ID@VERSION', parseModelName)
    .argument('<challenger>', 'as ID@VERSION', parseModelName)
    .addOption(numberOption('--last <payments>', 'the newest of them at most', 100, 10_000_000).default(1_000_000));
  return withHistoryOptions(command)
    .option('--json', 'the figures as JSON')
    .action(async (champion: ModelName, challenger: ModelName, options: CompareOptions) => {
      const deployment = await requireDeployment(options.config);
      const thresholds = deployment.definition.policy.thresholds.normal;
      const models = [champion, challenger] as const;
      const found = await askHistory(deployment, options, async (reader) => {
        const [scored = []] = await reader.numberRows(scoredQuery(...models));
        requireScores(models, scored);
        const figures = (await reader.numberRows(comparisonQuery(...models, options.last))).map(figuresOf);
        const bands = await reader.numberRows(bandsQuery(...models, options.last, thresholds));
        return { scored, figures, bands };
      });
      const [first, second] = found.figures;
      if (first === undefined || second === undefined || first.payments === 0)
        throw new UserError(
          `No payment was scored by both ${modelNameText(champion)} and ${modelNameText(challenger)}.`,
        );
      const report = { models: models.map(modelNameText), figures: [first, second], bands: bandMatrix(found.bands) };
      process.stdout.write(
        options.json === true
          ? `${JSON.stringify(report, null, 2)}\n`
          : text(report.models, [first, second], report.bands),
      );
    });
}

function requireScores(models: readonly ModelName[], scored: readonly number[]): void {
  const missing = models.find((_model, index) => (scored[index] ?? 0) === 0);
  if (missing === undefined) return;
  throw new UserError(
    `The history has no scores of ${modelNameText(missing)}: scores are recorded while there is a challenger; ` +
      'see sluice models list and history, and send payments.',
  );
}

function figuresOf(row: readonly number[]): ModelFigures {
  const [payments = 0, firstMs = 0, lastMs = 0, frauds = 0, genuine = 0, meanScore = NaN, ...rest] = row;
  const [rocAuc = NaN, averagePrecision = NaN, recall = NaN] = rest.slice(SCORE_QUANTILES.length);
  const quantiles = rest.slice(0, SCORE_QUANTILES.length);
  return { payments, firstMs, lastMs, frauds, genuine, meanScore, quantiles, rocAuc, averagePrecision, recall };
}

/** Payments by both models' bands: a line for each of the first model's. */
function bandMatrix(rows: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return BANDS.map((_a, first) =>
    BANDS.map((_b, second) => rows.find(([a, b]) => a === first && b === second)?.[2] ?? 0),
  );
}

function text(
  names: readonly string[],
  figures: readonly [ModelFigures, ModelFigures],
  bands: readonly (readonly number[])[],
): string {
  const [{ payments, firstMs, lastMs, frauds, genuine }] = figures;
  const row = (label: string, value: (each: ModelFigures) => string): readonly string[] => [
    label,
    ...figures.map(value),
  ];
  const scores = textTable([
    ['', ...names],
    row('score, mean', ({ meanScore }) => meanScore.toFixed(1)),
    ...SCORE_QUANTILES.map((level, index) =>
      row(`score, ${Number((100 * level).toFixed(1))}% are below`, ({ quantiles }) => String(quantiles[index] ?? NaN)),
    ),
    ...(frauds === 0
      ? []
      : [
          row('area under the ROC curve', ({ rocAuc }) => rocAuc.toFixed(4)),
          row('average precision', ({ averagePrecision }) => averagePrecision.toFixed(4)),
          row(`frauds found at ${100 * FALSE_POSITIVE_RATE}% false alarms`, ({ recall }) => percent(recall)),
        ]),
  ]);
  const share = (chosen: (first: number, second: number) => boolean): string =>
    percent(
      bands.flatMap((line, a) => line.filter((_count, b) => chosen(a, b))).reduce((sum, count) => sum + count, 0) /
        payments,
    );
  const [first = '', second = ''] = names;
  const matrix = textTable([
    [`${first} \\ ${second}`, ...BANDS],
    ...BANDS.map((band, index) => [band, ...(bands[index] ?? []).map((count) => count.toLocaleString('en'))]),
  ]);
  return [
    `${payments.toLocaleString('en')} payments that both scored, ${timeText(firstMs)} to ${timeText(lastMs)} UTC`,
    `${frauds.toLocaleString('en')} are labelled fraud by now, ${genuine.toLocaleString('en')} genuine; what has no label counts as genuine`,
    ...(frauds < FEW_FRAUDS ? [`Fewer than ${FEW_FRAUDS} frauds: too few to say which model finds more.`] : []),
    '',
    scores,
    `Verdicts by the score alone, at the thresholds of a normal risk level: the same for ${share((a, b) => a === b)} of payments, ` +
      `${second} is stricter for ${share((a, b) => b > a)} and milder for ${share((a, b) => b < a)}`,
    '',
    matrix,
  ].join('\n');
}

function percent(share: number): string {
  return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(2)}%`;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ');
}

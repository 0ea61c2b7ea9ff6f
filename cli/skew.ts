import { Command } from 'commander';
import { compareWithHistory, sampleQuery } from '../infra/clickhouse/skewQuery.ts';
import { HISTORY_DATABASE } from '../operators/sql/history.ts';
import { ESTIMATE_TOLERANCE, SKEW_TOLERANCE, type FeatureSkewLine } from '../pipeline/featureSkew.ts';
import { requireDeployment } from './deployment.ts';
import { askHistory, withHistoryOptions, type HistoryAccessOptions } from './historyAccess.ts';
import type { HistoryReader } from './historyReader.ts';
import { numberOption } from './options.ts';
import { ProgressLine } from './progressLine.ts';
import { UserError } from './userError.ts';

export function skewCommand(): Command {
  const command = new Command('skew').description(
    'Compute the features of a sample of decisions again, in SQL, and compare them with what the decisions recorded.',
  );
  return withHistoryOptions(command)
    .addOption(numberOption('--sample <decisions>', 'how many decisions', 1, 100_000).default(1_000))
    .option('--json', 'the report as JSON')
    .addHelpText(
      'after',
      `
Only decisions made with the features of --config are compared. Values less than ${SKEW_TOLERANCE} apart, relatively, agree.
A distinct that the engine recorded as an estimate may be off by ${100 * ESTIMATE_TOLERANCE}%, and what it computed from one by anything.
Exit code 1 when any differs.`,
    )
    .action(async (options: SkewOptions) => {
      const deployment = await requireDeployment(options.config);
      const { catalogue } = deployment.configuration;
      const progress = new ProgressLine(options.json !== true);
      const skew = await askHistory(deployment, options, async (reader) => {
        const rows = (query: string): Promise<readonly (readonly number[])[]> => reader.numberRows(query);
        if (!(await hasDecisions(reader))) throw new UserError('The history has no decision yet: send payments first.');
        const offsets = (await rows(sampleQuery(catalogue, options.sample))).flat();
        if (offsets.length === 0) throw new UserError(noneOf(options.config));
        return compareWithHistory(catalogue, offsets, rows, (done) => {
          progress.show(`${done} of ${offsets.length} decisions`, done / offsets.length);
        });
      });
      progress.clear();
      const lines = skew.lines();
      process.exitCode = lines.every(({ different }) => different === 0) ? 0 : 1;
      process.stdout.write(options.json === true ? `${JSON.stringify(lines, writeDenormals)}\n` : report(lines));
    });
}

interface SkewOptions extends HistoryAccessOptions {
  readonly sample: number;
  readonly json?: boolean;
}

/** The table is made a moment after Sluice has started for the first time. */
async function hasDecisions(reader: HistoryReader): Promise<boolean> {
  const [[tables = 0] = []] = await reader.numberRows(
    `SELECT count() FROM system.tables WHERE database = '${HISTORY_DATABASE}' AND name = 'decisions'`,
  );
  if (tables === 0) return false;
  const [[decisions = 0] = []] = await reader.numberRows(`SELECT count() FROM ${HISTORY_DATABASE}.decisions`);
  return decisions > 0;
}

function noneOf(config: string): string {
  return (
    `No decision in the history was made with the features of ${config} as they are now: start Sluice on it and send ` +
    'payments, or give the folder that decided.'
  );
}

function report(lines: readonly FeatureSkewLine[]): string {
  const width = Math.max(...lines.map(({ feature }) => feature.length));
  const row = (feature: string, ...numbers: readonly string[]): string =>
    `${feature.padEnd(width)}${numbers.map((text) => text.padStart(12)).join('')}\n`;
  let text = row('feature', 'compared', 'equal', 'close', 'estimated', 'different', 'difference');
  const sum = { compared: 0, equal: 0, close: 0, estimated: 0, different: 0 };
  for (const { feature, compared, equal, close, estimated, different, largestDifference } of lines) {
    const counts = [compared, equal, close, estimated, different].map(String);
    text += row(feature, ...counts, largestDifference.toPrecision(3));
    sum.compared += compared;
    sum.equal += equal;
    sum.close += close;
    sum.estimated += estimated;
    sum.different += different;
  }
  for (const { feature, examples } of lines) {
    for (const { ledgerOffset, recorded, computed } of examples)
      text += `${feature} at ledger offset ${ledgerOffset}: recorded ${recorded}, computed ${computed}\n`;
  }
  const [compared, equal, close, estimated, different] = Object.values(sum).map((count) => count.toLocaleString('en'));
  return `${text}${compared} values compared: ${equal} equal, ${close} close, ${estimated} estimated, ${different} different\n`;
}

/** JSON has neither NaN nor infinity. */
function writeDenormals(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

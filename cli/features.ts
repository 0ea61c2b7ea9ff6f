import { Command } from 'commander';
import { newestPaymentsQuery } from '../infra/clickhouse/skewQuery.ts';
import { closestName } from '../infra/deployment/closestName.ts';
import type { FeatureDefinition } from '../operators/definitions.ts';
import { durationText } from '../operators/features/sql/durationSql.ts';
import { featuresToSql } from '../operators/features/sql/featuresToSql.ts';
import { requireDeployment } from './deployment.ts';
import { featuresAddCommand, featuresRemoveCommand } from './featuresChange.ts';
import { numberOption } from './options.ts';
import { UserError } from './userError.ts';

export function featuresCommand(): Command {
  return new Command('features')
    .description(
      'The features of a deployment: what there are, how each is computed; add them to a running Sluice, take them out.',
    )
    .addCommand(listCommand())
    .addCommand(sqlCommand())
    .addCommand(featuresAddCommand())
    .addCommand(featuresRemoveCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('Name, aggregate, entity, window and description of every feature.')
    .option('--config <folder>', 'the deployment', 'config/default')
    .option('--json', 'the definitions as JSON')
    .action(async (options: { readonly config: string; readonly json?: boolean }) => {
      const { catalogue } = (await requireDeployment(options.config)).configuration;
      if (options.json === true) {
        process.stdout.write(`${JSON.stringify(catalogue.definitions, null, 2)}\n`);
        return;
      }
      const width = Math.max(...catalogue.names.map((name) => name.length));
      for (const definition of catalogue.definitions) {
        const { name, text } = definition;
        const says = text === undefined ? '' : `: ${text.en}`;
        process.stdout.write(`${name.padEnd(width)}  ${formOf(definition)}${says}\n`);
      }
    });
}

function sqlCommand(): Command {
  return new Command('sql')
    .description('Print the SELECT that computes a feature from the history, as the engine does.')
    .argument('<name>', 'of the feature')
    .option('--config <folder>', 'the deployment', 'config/default')
    .addOption(
      numberOption('--last <payments>', 'compute it for so many of the newest payments', 1, 1_000_000).default(1_000),
    )
    .addHelpText(
      'after',
      `
The feature need not be deployed yet: the query reads payments and labels, not recorded features. Run it:
  sluice query "$(sluice features sql account_count_1h)"`,
    )
    .action(async (name: string, options: { readonly config: string; readonly last: number }) => {
      const { catalogue } = (await requireDeployment(options.config)).configuration;
      if (!catalogue.names.includes(name)) {
        const closest = closestName(name, catalogue.names);
        const hint = closest === undefined ? 'see sluice features list' : `did you mean ${closest}?`;
        throw new UserError(`${options.config} has no feature '${name}'; ${hint}`);
      }
      process.stdout.write(`${featuresToSql(catalogue, [name], newestPaymentsQuery(options.last))}\n`);
    });
}

/** `sum of amountMinor by account, 1d`. */
function formOf(definition: FeatureDefinition): string {
  const { aggregate, of, entity, windowMs, delayMs, where, expression, numerator, denominator } = definition;
  if (aggregate === 'ratio') return `${numerator} / ${denominator}`;
  if (entity === undefined || windowMs === undefined) return expression ?? aggregate;
  const subject = of === undefined ? aggregate : `${aggregate} of ${of}`;
  const delay = delayMs === undefined || delayMs === 0 ? '' : ` ending ${durationText(delayMs)} ago`;
  const condition = where === undefined ? '' : `, where ${where}`;
  return `${subject} by ${entity.join(' and ')}, ${durationText(windowMs)}${delay}${condition}`;
}

import { Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { modelNameText } from './modelName.ts';
import { numberOption } from './options.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { textTable } from './textTable.ts';

interface ExplainOptions extends SluiceAccessOptions {
  readonly top: number;
  readonly json?: boolean;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description("Why the model scored a payment as it did, approved or not: each feature's share.")
    .argument('<transactionId>', 'of the payment')
    .addOption(numberOption('--top <features>', 'how many features to show', 1, 1024).default(15));
  return withSluiceOptions(command)
    .option('--json', 'the answer as JSON, with all features')
    .addHelpText(
      'after',
      `
Computed again from the features that the stored decision holds, with the very model that scored it, and checked against the
decision to the last bit.`,
    )
    .action(async (transactionId: string, options: ExplainOptions) => {
      const path = `/v1/explanations/${encodeURIComponent(transactionId)}`;
      const explanation = await askSluice(options, { method: 'GET', path, shape: REPLY_SCHEMAS.Explanation });
      process.stdout.write(
        options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : text(explanation, options.top),
      );
    });
}

function text(explanation: z.infer<typeof REPLY_SCHEMAS.Explanation>, top: number): string {
  const { transactionId, verdict, model, probability, score, method, why, mean, margin, features } = explanation;
  const name = modelNameText(model);
  const head = `${transactionId}: ${verdict}; ${name} gives it ${score} of 1000 (probability ${probability.toPrecision(3)})`;
  const shown = features.slice(0, top);
  const rest = features.slice(top).reduce((sum, { contribution }) => sum + contribution, 0);
  const rows = shown.map((each) => [
    each.feature,
    signed(each.contribution),
    numberText(each.value),
    numberText(each.usual),
    each.text.en,
  ]);
  const by =
    method === 'treeShap' && mean !== null && margin !== null
      ? `Exact SHAP values, in log-odds: from the mean of ${signed(mean)} to ${signed(margin)}.`
      : `By occlusion, because ${why ?? 'there are no trees'}: what the probability loses when the feature has its usual value.`;
  const others = features.length - shown.length;
  const left = others === 0 ? '' : `${others} more features add ${signed(rest)}; --top shows more of them.\n`;
  return `${head}\n${by}\n\n${textTable([['feature', 'adds', 'value', 'usually', 'what it is'], ...rows], [0, 4])}${left}`;
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${value.toFixed(3)}`;
}

function numberText(value: number | null): string {
  if (value === null) return '-';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

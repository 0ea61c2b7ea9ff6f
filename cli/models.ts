import { Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { readModelMetadata } from '../models/modelPackage.ts';
import { modelNameText, modelPath, parseModelName, type ModelName } from './modelName.ts';
import {
  addCommand,
  approveModelCommand,
  promoteCommand,
  rejectModelCommand,
  rollbackCommand,
  withdrawCommand,
} from './modelsChange.ts';
import { modelsCompareCommand } from './modelsCompare.ts';
import { modelsDriftCommand } from './modelsDrift.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { textTable } from './textTable.ts';

export function modelsCommand(): Command {
  return new Command('models')
    .description('Which model scores: champion, challengers beside it, promotion by percent, and the way back.')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(addCommand())
    .addCommand(promoteCommand())
    .addCommand(withdrawCommand())
    .addCommand(rollbackCommand())
    .addCommand(proposalsCommand())
    .addCommand(approveModelCommand())
    .addCommand(rejectModelCommand())
    .addCommand(historyCommand())
    .addCommand(modelsCompareCommand())
    .addCommand(modelsDriftCommand())
    .addHelpText(
      'after',
      `
From a new package to champion:
  sluice models add FOLDER                              its scores are recorded, no verdict changes
  sluice models compare payment-fraud@7 payment-fraud@8 both on the same payments
  sluice models promote payment-fraud@8 --percent 10    verdicts of a tenth of the accounts, always the same ones
  sluice models promote payment-fraud@8                 all verdicts
  sluice models rollback                                the champion before`,
    );
}

interface OutputOptions extends SluiceAccessOptions {
  readonly json?: boolean;
}

function listCommand(): Command {
  return reading('list', 'Champion, challengers and the other packages that are known.').action(
    async (options: OutputOptions) => {
      const shape = REPLY_SCHEMAS.Models;
      const answer = await askSluice(options, { method: 'GET', path: '/v1/models', shape });
      print(options, answer, () => {
        if (answer.models.length === 0) return 'No model is known; sluice models add FOLDER registers one.\n';
        return textTable(
          [
            ['model', 'role', 'accounts', 'since (UTC)', 'by', 'SHA-256'],
            ...answer.models.map(({ id, version, role, percent, sinceMs, author, sha256 }) => [
              modelNameText({ id, version }),
              role === 'none' ? '-' : role,
              role === 'none' ? '-' : `${percent}%`,
              timeText(sinceMs),
              author,
              sha256.slice(0, 12),
            ]),
          ],
          [0, 1, 3, 4, 5],
        );
      });
    },
  );
}

function showCommand(): Command {
  return reading('show', 'One package: what it reads, was trained on and is explained by.')
    .argument('<model>', 'as ID@VERSION', parseModelName)
    .action(async (name: ModelName, options: OutputOptions) => {
      const shape = REPLY_SCHEMAS.ModelDescription;
      const model = await askSluice(options, { method: 'GET', path: modelPath(name), shape });
      print(options, model, () => description(model));
    });
}

function historyCommand(): Command {
  return reading('history', 'Who changed what about models, when and why, the newest first.').action(
    async (options: OutputOptions) => {
      const shape = REPLY_SCHEMAS.ModelChanges;
      const answer = await askSluice(options, { method: 'GET', path: '/v1/models/changes', shape });
      print(options, answer, () => changesTable(answer.changes));
    },
  );
}

function proposalsCommand(): Command {
  return reading('proposals', 'Changes of models that wait for a second person.').action(
    async (options: OutputOptions) => {
      const shape = REPLY_SCHEMAS.ModelProposals;
      const answer = await askSluice(options, { method: 'GET', path: '/v1/models/proposals', shape });
      print(options, answer, () =>
        answer.proposals.length === 0 ? 'No change of a model waits for approval.\n' : changesTable(answer.proposals),
      );
    },
  );
}

function changesTable(changes: z.infer<typeof REPLY_SCHEMAS.ModelChanges>['changes']): string {
  const steps = { apply: '', propose: ' proposed', approve: ' approved', reject: ' rejected' };
  return textTable(
    [
      ['offset', 'time (UTC)', 'change', 'model', 'accounts', 'by', 'reason'],
      ...changes.map(({ ledgerOffset, timeMs, action, step, id, version, percent, author, reason }) => [
        String(ledgerOffset),
        timeText(timeMs),
        `${action}${steps[step]}`,
        id === null ? 'no model' : modelNameText({ id, version }),
        action === 'withdraw' ? '-' : `${percent}%`,
        author,
        reason,
      ]),
    ],
    [1, 2, 3, 5, 6],
  );
}

function reading(name: string, description: string): Command {
  return withSluiceOptions(new Command(name).description(description)).option('--json', 'the answer as JSON');
}

function print(options: OutputOptions, answer: unknown, text: () => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(answer, null, 2)}\n` : text());
}

function description(model: z.infer<typeof REPLY_SCHEMAS.ModelDescription>): string {
  const { id, version, role, percent, sha256, author, sinceMs, reasonsBy } = model;
  const metadata = readModelMetadata(model.metadata);
  const { inputs, trainedAt, catalogueSha256, calibration } = metadata;
  const places = {
    champion: `champion, scores the verdicts of ${percent}% of accounts`,
    challenger:
      percent === 0 ? 'challenger, its scores are only recorded' : `challenger, scores ${percent}% of accounts`,
    none: 'scores nothing',
  };
  const lines = [
    [modelNameText({ id, version }), places[role]],
    ['known since', `${timeText(sinceMs)} UTC, by ${author}`],
    ['model.onnx', reasonsBy === null ? `${sha256}, missing in the data folder's models/` : sha256],
    ['inputs', `the first ${inputs.length} features of the catalogue, ${inputs[0] ?? ''} to ${inputs.at(-1) ?? ''}`],
    ['their hash', catalogueSha256],
    ['reasons by', reasonsBy === null ? 'not known without the file' : reasonsBy],
    ['calibration', calibration.map(([probability, score]) => `${probability} → ${score}`).join(', ')],
    ['trained', trainedAt],
  ];
  return textTable(lines, [0, 1]);
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

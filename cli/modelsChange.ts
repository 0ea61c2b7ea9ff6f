import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { modelNameText, modelPath, parseModelName, type ModelName } from './modelName.ts';
import { numberOption } from './options.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { readUserFile, sizeOfUserFile } from './userFile.ts';

interface ChangeOptions extends SluiceAccessOptions {
  readonly reason: string;
}

const shape = REPLY_SCHEMAS.ModelChanged;

export function addCommand(): Command {
  return changing('add', 'Register a package as a challenger: its scores are recorded, no verdict changes.')
    .argument('<folder>', 'with model.json and model.onnx')
    .action(async (folder: string, options: ChangeOptions) => {
      const metadata = readUserFile(join(folder, 'model.json'));
      const file = join(folder, 'model.onnx');
      sizeOfUserFile(file);
      const body = { metadata, onnx: readFileSync(file).toString('base64'), reason: options.reason };
      tell(await askSluice(options, { method: 'POST', path: '/v1/models', body, shape }));
    });
}

export function promoteCommand(): Command {
  return changing('promote', 'Make a registered package the champion, or give it a share of accounts.')
    .argument('<model>', 'as ID@VERSION', parseModelName)
    .addOption(
      numberOption(
        '--percent <share>',
        'of accounts whose verdicts it scores; 0: only beside the champion',
        0,
        100,
      ).default(100),
    )
    .action(async (name: ModelName, options: ChangeOptions & { readonly percent: number }) => {
      const body = { percent: options.percent, reason: options.reason };
      tell(await askSluice(options, { method: 'PUT', path: modelPath(name), body, shape }));
    });
}

export function withdrawCommand(): Command {
  return changing('withdraw', 'End a challenger; it stays known.')
    .argument('<model>', 'as ID@VERSION', parseModelName)
    .action(async (name: ModelName, options: ChangeOptions) => {
      const path = `${modelPath(name)}?reason=${encodeURIComponent(options.reason)}`;
      tell(await askSluice(options, { method: 'DELETE', path, shape }));
    });
}

export function rollbackCommand(): Command {
  return changing(
    'rollback',
    "Take a challenger's share back; where none has one, bring the champion before back.",
  ).action(async (options: ChangeOptions) => {
    const body = { reason: options.reason };
    tell(await askSluice(options, { method: 'POST', path: '/v1/models/rollback', body, shape }));
  });
}

function changing(name: string, description: string): Command {
  return withSluiceOptions(new Command(name).description(description)).option(
    '--reason <text>',
    'why, for the ledger',
    '',
  );
}

export function approveModelCommand(): Command {
  return answering('approve', "Put somebody else's proposed change of a model into force.");
}

export function rejectModelCommand(): Command {
  return answering('reject', 'End a proposed change of a model without effect.');
}

function answering(how: 'approve' | 'reject', description: string): Command {
  return changing(how, description)
    .argument('<proposal>', 'as sluice models proposals calls it', proposalOffset)
    .action(async (offset: number, options: ChangeOptions) => {
      const path = `/v1/models/proposals/${String(offset)}/${how}`;
      tell(await askSluice(options, { method: 'POST', path, body: { reason: options.reason }, shape }));
    });
}

function proposalOffset(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Must be a whole number, as sluice models proposals says.');
}

function tell({ ledgerOffset, standing, model }: z.infer<typeof shape>): void {
  const { role, percent } = model;
  const does = {
    champion: percent === 100 ? 'is the champion' : `is the champion and scores ${percent}% of accounts`,
    challenger: percent === 0 ? 'is scored beside the champion' : `scores the verdicts of ${percent}% of accounts`,
    none: 'scores nothing any more',
  };
  if (standing === 'proposed') {
    process.stdout.write(
      `Proposed as ${ledgerOffset}; in force once somebody else approves it: sluice models approve ${ledgerOffset}\n`,
    );
    return;
  }
  if (standing === 'rejected') {
    process.stdout.write(`The proposal is rejected; nothing has changed.\n`);
    return;
  }
  process.stdout.write(`${modelNameText(model)} ${does[role]} from ledger offset ${ledgerOffset} on.\n`);
}

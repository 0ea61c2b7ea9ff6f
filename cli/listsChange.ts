import { Command } from 'commander';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { listValue } from '../operators/lists/listValue.ts';
import { MAX_CHANGED_ENTRIES } from '../pipeline/listKeeping.ts';
import { requireList } from './listAccess.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { parseUntil, UNTIL_FORMS, untilText } from './untilTime.ts';
import { UserError } from './userError.ts';

export interface ListChangeOptions extends SluiceAccessOptions {
  readonly reason: string;
  readonly until?: string;
}

export function listsAddCommand(): Command {
  const command = new Command('add')
    .description('Put values on a list, or change their end and reason, from the next payment on.')
    .argument('<list>', 'its name')
    .argument('<values...>', 'accounts, card numbers or tokens, addresses or blocks, BINs or ranges, ...');
  return withUntil(withReason(withSluiceOptions(command)))
    .addHelpText(
      'after',
      '\nA card number is kept as its token only. To keep it out of the shell’s history, import a file.',
    )
    .action(async (list: string, values: readonly string[], options: ListChangeOptions) => {
      const expiresAtMs = endOf(options);
      await changeList(list, values, options, { action: 'put', expiresAtMs });
      const end = expiresAtMs === null ? '' : ` until ${untilText(expiresAtMs)}`;
      process.stdout.write(`${counted(values.length, 'value')} put on ${list}${end}.\n`);
    });
}

export function listsRemoveCommand(): Command {
  const command = new Command('remove')
    .description('Take values off a list, from the next payment on.')
    .argument('<list>', 'its name')
    .argument('<values...>', 'as they are on it; a card also by its number');
  return withReason(withSluiceOptions(command)).action(
    async (list: string, values: readonly string[], options: ListChangeOptions) => {
      await changeList(list, values, options, { action: 'delete', expiresAtMs: null });
      process.stdout.write(`${counted(values.length, 'value')} taken off ${list}.\n`);
    },
  );
}

export function withReason(command: Command): Command {
  return command.requiredOption('--reason <text>', 'why: kept with every entry and in the ledger');
}

export function withUntil(command: Command): Command {
  return command.option('--until <when>', `when the entries end by themselves: ${UNTIL_FORMS}`);
}

/** The end that the user gave; null: never. Throws UserError when it is none, or past. */
export function endOf({ until }: Pick<ListChangeOptions, 'until'>): number | null {
  if (until === undefined) return null;
  const nowMs = Date.now();
  const endMs = parseUntil(until, nowMs);
  if (endMs === undefined) throw new UserError(`--until must be ${UNTIL_FORMS}`, 2);
  if (endMs <= nowMs) throw new UserError(`--until is in the past: ${untilText(endMs)}`, 2);
  return endMs;
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

async function changeList(
  name: string,
  values: readonly string[],
  options: ListChangeOptions,
  { action, expiresAtMs }: { readonly action: 'put' | 'delete'; readonly expiresAtMs: number | null },
): Promise<void> {
  if (values.length > MAX_CHANGED_ENTRIES)
    throw new UserError(`at most ${MAX_CHANGED_ENTRIES} values at once: write them to a file and import it`, 2);
  const list = await requireList(options, name);
  for (const [index, value] of values.entries()) {
    const checked = listValue(list, value);
    if (!checked.ok) throw new UserError(`value ${index + 1} ${checked.message} [SLUICE_LIST_VALUE]`);
    if (action === 'delete') await requireEntry(options, name, value, checked.value, index);
  }
  await askSluice(options, {
    method: 'POST',
    path: `/v1/lists/${name}`,
    body: { action, reason: options.reason, expiresAtMs, entries: values.map((value) => ({ value })) },
    shape: REPLY_SCHEMAS.Accepted,
  });
}

/** Nothing would be taken off, silently, where the value is not there or only a block that it lies in. */
async function requireEntry(
  options: ListChangeOptions,
  list: string,
  value: string,
  canonical: string,
  index: number,
): Promise<void> {
  const { hits } = await askSluice(options, {
    method: 'POST',
    path: '/v1/lists:check',
    body: { value },
    shape: REPLY_SCHEMAS.ListHits,
  });
  const hit = hits.find((each) => each.list === list);
  if (hit === undefined) throw new UserError(`value ${index + 1} is not on ${list}; nothing was changed`);
  const { value: held } = hit.entry;
  if (/[/-]/.test(held) && held !== canonical && !held.startsWith('tok_'))
    throw new UserError(`value ${index + 1} is on ${list} as part of ${held}; take that off, nothing was changed`);
}

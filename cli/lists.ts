import { Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { requireList, subjectOf, type ListEntry } from './listAccess.ts';
import { listsAddCommand, listsRemoveCommand } from './listsChange.ts';
import { listsExportCommand } from './listsExport.ts';
import { listsImportCommand } from './listsImport.ts';
import { numberOption } from './options.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { textTable } from './textTable.ts';
import { untilText } from './untilTime.ts';

const DEFAULT_SHOWN = 20;
const MAX_SHOWN = 1_000;

export function listsCommand(): Command {
  return new Command('lists')
    .description(
      'Block, allow and watch lists of a running Sluice: look, put values on them, take them off, import files.',
    )
    .addCommand(showCommand())
    .addCommand(checkCommand())
    .addCommand(listsAddCommand())
    .addCommand(listsRemoveCommand())
    .addCommand(listsImportCommand())
    .addCommand(listsExportCommand());
}

function showCommand(): Command {
  const command = new Command('show')
    .description('All lists with how many entries they have; with a name, the first entries of that list.')
    .argument('[list]', 'its name');
  return withSluiceOptions(command)
    .addOption(numberOption('--limit <n>', 'entries to show', 1, MAX_SHOWN).default(DEFAULT_SHOWN))
    .option('--json', 'as JSON')
    .action(async (name: string | undefined, options: ShowOptions) => {
      process.stdout.write(name === undefined ? await allLists(options) : await entriesOf(name, options));
    });
}

interface ShowOptions extends SluiceAccessOptions {
  readonly limit: number;
  readonly json?: boolean;
}

async function allLists(options: ShowOptions): Promise<string> {
  const reply = await askSluice(options, { method: 'GET', path: '/v1/lists', shape: REPLY_SCHEMAS.Lists });
  if (options.json === true) return `${JSON.stringify(reply)}\n`;
  if (reply.lists.length === 0) return 'sluice.yaml declares no lists.\n';
  const rows = reply.lists.map((list) => [list.name, list.kind, subjectOf(list), list.entries.toLocaleString('en')]);
  return textTable([['list', 'kind', 'of', 'entries'], ...rows], [0, 1, 2]);
}

async function entriesOf(name: string, options: ShowOptions): Promise<string> {
  const list = await requireList(options, name);
  const entries: ListEntry[] = [];
  let after: string | null = '';
  while (after !== null && entries.length < options.limit) {
    const path = `/v1/lists/${name}?limit=${options.limit - entries.length}&after=${after}`;
    const page: z.infer<typeof REPLY_SCHEMAS.ListPage> = await askSluice(options, {
      method: 'GET',
      path,
      shape: REPLY_SCHEMAS.ListPage,
    });
    entries.push(...page.entries);
    after = page.next;
  }
  if (options.json === true) return `${JSON.stringify({ list: name, entries })}\n`;
  const head = `${name}: ${list.kind} list of ${subjectOf(list)}, ${list.entries.toLocaleString('en')} entries\n`;
  if (entries.length === 0) return head;
  const rows = entries.map((entry) => [entry.value, ...detailsOf(entry)]);
  const more = after === null ? '' : `and more: --limit, or sluice lists export ${name}\n`;
  return `${head}${textTable([['value', 'until', 'author', 'since', 'reason'], ...rows], [0, 1, 2, 3, 4])}${more}`;
}

function detailsOf({ expiresAtMs, author, sinceMs, reason }: ListEntry): readonly string[] {
  return [untilText(expiresAtMs), author, untilText(sinceMs), reason];
}

function checkCommand(): Command {
  const command = new Command('check')
    .description(
      'Which lists is a value on? An address is also found in a block, a BIN in a range, a card by its number.',
    )
    .argument('<value>', 'an account, card number or token, address, BIN, ...');
  return withSluiceOptions(command)
    .option('--json', 'as JSON')
    .action(async (value: string, options: SluiceAccessOptions & { readonly json?: boolean }) => {
      const reply = await askSluice(options, {
        method: 'POST',
        path: '/v1/lists:check',
        body: { value },
        shape: REPLY_SCHEMAS.ListHits,
      });
      if (options.json === true) process.stdout.write(`${JSON.stringify(reply)}\n`);
      else if (reply.hits.length === 0) process.stdout.write('It is on no list.\n');
      else {
        const rows = reply.hits.map(({ list, kind, entry }) => [list, kind, entry.value, ...detailsOf(entry)]);
        const head = ['list', 'kind', 'entry', 'until', 'author', 'since', 'reason'];
        process.stdout.write(textTable([head, ...rows], [0, 1, 2, 3, 4, 5, 6]));
      }
    });
}

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import type { z } from 'zod';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { requireList, type ListEntry } from './listAccess.ts';
import { ProgressLine } from './progressLine.ts';
import { askSluice, withSluiceOptions, type SluiceAccessOptions } from './sluiceAccess.ts';
import { writeUserFile } from './userFile.ts';

const PAGE = 1_000;

export function listsExportCommand(): Command {
  const command = new Command('export')
    .description('Write all entries of a list as CSV, which can be imported again.')
    .argument('<list>', 'its name')
    .argument('[file]', 'default: standard output');
  return withSluiceOptions(command).action(
    async (name: string, file: string | undefined, options: SluiceAccessOptions) => {
      const { entries: total } = await requireList(options, name);
      if (file === undefined) {
        await writeEntries(name, options, process.stdout, () => undefined);
        return;
      }
      const progress = new ProgressLine();
      const out = writeUserFile(file);
      const written = await writeEntries(name, options, out, (count) => {
        progress.show(`${count.toLocaleString('en')} entries`, total === 0 ? 1 : count / total);
      });
      out.end();
      await finished(out);
      progress.clear();
      process.stdout.write(`${written.toLocaleString('en')} ${written === 1 ? 'entry' : 'entries'} in ${file}\n`);
    },
  );
}

async function writeEntries(
  name: string,
  options: SluiceAccessOptions,
  out: Writable,
  onProgress: (count: number) => void,
): Promise<number> {
  let count = 0;
  let after: string | null = '';
  out.write('value,expires,reason,author,since\n');
  while (after !== null) {
    const page: z.infer<typeof REPLY_SCHEMAS.ListPage> = await askSluice(options, {
      method: 'GET',
      path: `/v1/lists/${name}?limit=${PAGE}&after=${after}`,
      shape: REPLY_SCHEMAS.ListPage,
    });
    if (!out.write(page.entries.map(lineOf).join(''))) await once(out, 'drain');
    count += page.entries.length;
    onProgress(count);
    after = page.next;
  }
  return count;
}

function lineOf({ value, expiresAtMs, reason, author, sinceMs }: ListEntry): string {
  const expires = expiresAtMs === null ? '' : new Date(expiresAtMs).toISOString();
  return `${[value, expires, reason, author, new Date(sinceMs).toISOString()].map(cell).join(',')}\n`;
}

/** RFC 4180; also where a reader would take it for a comment. */
function cell(text: string): string {
  return /[",\r\n#]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

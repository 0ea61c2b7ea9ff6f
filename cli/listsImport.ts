import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { REPLY_SCHEMAS } from '../infra/http/replySchemas.ts';
import { MAX_CHANGED_ENTRIES } from '../pipeline/listKeeping.ts';
import { ListFile, type FileEntry } from './listFile.ts';
import { requireList } from './listAccess.ts';
import { counted, endOf, withReason, withUntil, type ListChangeOptions } from './listsChange.ts';
import { ProgressLine } from './progressLine.ts';
import { askSluice, SluiceBusyError, withSluiceOptions } from './sluiceAccess.ts';
import { sizeOfUserFile } from './userFile.ts';
import { UserError } from './userError.ts';

/** Wrong lines that are told; the others are only counted. */
const MAX_TOLD = 20;
/** Changes on their way at once: while one is being written, the next is read. */
const MAX_IN_FLIGHT = 2;
const BUSY_MS = 500;
const MAX_BUSY = 120;

interface ImportOptions extends ListChangeOptions {
  readonly remove?: boolean;
  readonly dryRun?: boolean;
}

export function listsImportCommand(): Command {
  const command = new Command('import')
    .description('Put all values of a file on a list (a million takes a minute), while payments are decided as before.')
    .argument('<list>', 'its name')
    .argument('<file>', 'CSV with a header line value,expires,reason (only value must be there), or one value a line');
  return withUntil(withReason(withSluiceOptions(command)))
    .option('--remove', 'take the values off the list')
    .option('--dry-run', 'only check the file')
    .addHelpText(
      'after',
      `
The whole file is checked first: with one wrong line nothing is imported, and each is told with its number. --until and --reason
hold for lines that say nothing else. An import that was interrupted can be run again: values that are there stay as they are.`,
    )
    .action(async (name: string, file: string, options: ImportOptions) => {
      const expiresAtMs = endOf(options);
      const bytes = sizeOfUserFile(file);
      const list = await requireList(options, name);
      const progress = new ProgressLine();
      const reader = new ListFile(file, list, Date.now());
      const total = await check(file, reader, bytes, progress);
      if (options.dryRun === true) {
        process.stdout.write(`${file}: ${counted(total, 'value')}, nothing wrong; nothing was changed.\n`);
        return;
      }
      await send(name, reader, total, options, { expiresAtMs, progress });
    });
}

/** Reads the whole file once. Throws UserError with the wrong lines. */
async function check(file: string, reader: ListFile, bytes: number, progress: ProgressLine): Promise<number> {
  const told: string[] = [];
  let wrong = 0;
  let total = 0;
  for await (const line of reader.lines()) {
    total += 1;
    progress.show(`checking: ${counted(total, 'line')}`, bytes === 0 ? 1 : reader.bytesRead / bytes);
    if (line.ok) continue;
    wrong += 1;
    if (told.length < MAX_TOLD) told.push(`${file}:${line.line} ${line.message}`);
  }
  progress.clear();
  if (total === 0) throw new UserError(`${file} holds no values`);
  if (wrong === 0) return total;
  const more = wrong > told.length ? `\nand ${counted(wrong - told.length, 'more line')}` : '';
  throw new UserError(`${told.join('\n')}${more}\nNothing was changed. [SLUICE_LIST_FILE]`);
}

async function send(
  name: string,
  reader: ListFile,
  total: number,
  options: ImportOptions,
  { expiresAtMs, progress }: { readonly expiresAtMs: number | null; readonly progress: ProgressLine },
): Promise<void> {
  const startMs = performance.now();
  const action = options.remove === true ? 'delete' : 'put';
  const says = action === 'put' ? `put on ${name}` : `taken off ${name}`;
  let sent = 0;
  const inFlight = new Set<Promise<void>>();
  const submit = async (entries: readonly FileEntry[]): Promise<void> => {
    await post(name, options, { action, reason: options.reason, expiresAtMs, entries });
    sent += entries.length;
    progress.show(`${counted(sent, 'value')} ${says}`, sent / total);
  };
  try {
    for await (const entries of chunks(reader)) {
      if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
      const sending = submit(entries);
      inFlight.add(sending);
      // Whoever awaits next sees the rejection.
      sending.then(
        () => inFlight.delete(sending),
        () => undefined,
      );
    }
    await Promise.all(inFlight);
  } catch (error) {
    progress.clear();
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${counted(sent, 'value')} of ${total.toLocaleString('en')} ${says}, then: ${reason}`);
  }
  progress.clear();
  const seconds = (performance.now() - startMs) / 1_000;
  process.stdout.write(`${counted(sent, 'value')} ${says} in ${seconds.toFixed(1)} s.\n`);
}

async function* chunks(reader: ListFile): AsyncGenerator<readonly FileEntry[], void, undefined> {
  let entries: FileEntry[] = [];
  for await (const line of reader.lines()) {
    if (!line.ok) throw new UserError(`the file was changed meanwhile: line ${line.line} ${line.message}`);
    entries.push(line.entry);
    if (entries.length < MAX_CHANGED_ENTRIES) continue;
    yield entries;
    entries = [];
  }
  if (entries.length > 0) yield entries;
}

async function post(name: string, options: ImportOptions, body: unknown): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await askSluice(options, { method: 'POST', path: `/v1/lists/${name}`, body, shape: REPLY_SCHEMAS.Accepted });
      return;
    } catch (error) {
      if (!(error instanceof SluiceBusyError) || attempt >= MAX_BUSY) throw error;
      await sleep(BUSY_MS);
    }
  }
}

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Command } from 'commander';
import { openLmdb } from '../infra/lmdb/openLmdb.ts';
import { exportFeatures } from '../pipeline/exportFeatures.ts';
import { ProgressLine } from './progressLine.ts';
import { writeUserFile } from './userFile.ts';

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Write the features of every decision, as the engine had them then, with the labels known now: a training set.',
    )
    .requiredOption('--data <folder>', 'the data folder, e.g. data/default')
    .requiredOption('--out <file>', 'CSV; gzip when it ends in .gz')
    .addHelpText(
      'after',
      `
The first line is a comment with the catalogue's hash and the export's; then a header and one row for each payment decided
under the newest catalogue: transaction_id, event_time_ms, label (1 fraud, 0 not), fraud_type, and the features.`,
    )
    .action(async (options: { readonly data: string; readonly out: string }) => {
      const data = openLmdb(options.data, { readOnly: true });
      const progress = new ProgressLine();
      let rows = 0;
      async function* counted(): AsyncGenerator<string, void, undefined> {
        for await (const chunk of exportFeatures(data, (done, total, rowCount) => {
          rows = rowCount;
          progress.show(`${rowCount.toLocaleString('en')} rows`, total === 0 ? 1 : done / total);
        })) {
          yield chunk;
        }
      }
      const source = Readable.from(counted());
      const file = writeUserFile(options.out);
      await (options.out.endsWith('.gz') ? pipeline(source, createGzip(), file) : pipeline(source, file));
      progress.clear();
      await data.close();
      process.stdout.write(`${rows.toLocaleString('en')} rows in ${options.out}\n`);
    });
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { z } from 'zod';
import type { CsvMapping } from '../pipeline/csvMapping.ts';
import { CsvMapper, type MappedRow } from '../pipeline/import/csvMapper.ts';
import { mergeLabels, type ImportEvent } from '../pipeline/import/mergeLabels.ts';
import { openCounted } from './countedFile.ts';
import { UserError } from './userError.ts';

/** A file that can be imported: CSV by a mapping, or the NDJSON that `sluice simulate` writes; gzip by its ending. */
export class ImportFile {
  readonly #path: string;
  readonly #mapping: CsvMapping | null;
  #bytesRead = 0;

  constructor(path: string, mapping: CsvMapping | null) {
    this.#path = path;
    this.#mapping = mapping;
    if (!this.#isCsv && !/\.ndjson(\.gz)?$/.test(path)) {
      throw new UserError(`${path}: expected a name that ends in .csv, .csv.gz, .ndjson or .ndjson.gz`, 2);
    }
    if (this.#isCsv && mapping === null) {
      throw new UserError(`${path} is CSV, and the deployment has no mapping.yaml to say what its columns mean`);
    }
  }

  /** Bytes of the file taken so far, compressed if it is. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Names the file's records in the ledger: by its name and content, so that another file of that name is another source. */
  async source(): Promise<string> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(this.#path), hash);
    return `import:${basename(this.#path).slice(0, 80)}:${hash.digest('hex').slice(0, 16)}`;
  }

  /** Throws UserError when the file breaks off or is no text of its kind. */
  events(): AsyncIterable<ImportEvent> {
    return this.#isCsv && this.#mapping !== null ? mergeLabels(this.#mappedRows(this.#mapping)) : this.#lines();
  }

  get #isCsv(): boolean {
    return /\.csv(\.gz)?$/.test(this.#path);
  }

  #open(): Readable {
    return openCounted(this.#path, (bytes) => {
      this.#bytesRead += bytes;
    });
  }

  async *#mappedRows(mapping: CsvMapping): AsyncGenerator<MappedRow, void, undefined> {
    let mapper: CsvMapper | null = null;
    const input = this.#open();
    const parser = parse({ bom: true });
    input.on('error', (error) => parser.destroy(error));
    try {
      for await (const record of input.pipe(parser)) {
        const row = toRow(record);
        if (mapper === null) mapper = new CsvMapper(mapping, row);
        else yield mapper.map(row);
      }
    } catch (error) {
      throw this.#unreadable(error);
    }
    if (mapper === null) throw new UserError(`${this.#path} is empty`);
  }

  async *#lines(): AsyncGenerator<ImportEvent, void, undefined> {
    let line = 0;
    const input = this.#open();
    const lines = createInterface({ input, crlfDelay: Infinity });
    input.on('error', (error) => lines.emit('error', error));
    try {
      for await (const text of lines) {
        line++;
        const { kind, event } = lineSchema.parse(JSON.parse(text));
        if (kind === 'transaction') yield { kind, value: event, isFollowed: true };
        else yield { kind, value: event, transactionId: transactionIdOf(event) };
      }
    } catch (error) {
      throw this.#unreadable(error, line);
    }
  }

  #unreadable(error: unknown, line?: number): Error {
    if (error instanceof UserError || (error instanceof Error && error.message.startsWith('SLUICE_'))) return error;
    const where = line === undefined ? '' : ` at line ${String(line)}`;
    const isZod = error instanceof z.ZodError;
    const reason = isZod ? 'not a line of sluice simulate' : error instanceof Error ? error.message : String(error);
    return new UserError(`${this.#path} cannot be read${where}: ${reason}`);
  }
}

/** csv-parse gives unknown; without conversions its records are arrays of text. A schema here made 7% of an import's garbage. */
function toRow(record: unknown): readonly string[] {
  if (isRow(record)) return record;
  throw new Error('a row is not a list of cells');
}

function isRow(record: unknown): record is readonly string[] {
  return Array.isArray(record) && record.every((cell) => typeof cell === 'string');
}

const lineSchema = z.object({
  kind: z.enum(['transaction', 'label', 'outcome']),
  event: z.record(z.string(), z.unknown()),
});

function transactionIdOf(event: Readonly<Record<string, unknown>>): string {
  return typeof event['transactionId'] === 'string' ? event['transactionId'] : '';
}

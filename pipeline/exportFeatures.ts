import { createHash } from 'node:crypto';
import { compileConfiguration, parseConfiguration } from '../operators/configuration.ts';
import { codecs } from '../schemas/codec.ts';
import { decodeLedgerRecord } from '../schemas/ledgerCodec.ts';
import type { Label } from '../schemas/types.ts';
import { PublicationLog } from './engine/publicationLog.ts';
import type { DecisionStore, Ledger } from './ports.ts';

const READ_RECORDS = 2_048;

/**
 * The training set as CSV text, in chunks: features as the engine had them when it decided, never computed again, and each payment's
 * last label. Only decisions under the newest catalogue, whose columns they are. The first line is `# ` and JSON
 * {catalogueSha256, ledgerSha256, records}: ledgerSha256 hashes every record read, so that it names the very data.
 */
export async function* exportFeatures(
  stores: { readonly ledger: Ledger; readonly decisions: DecisionStore },
  onProgress: (done: number, total: number, rows: number) => void,
): AsyncGenerator<string, void, undefined> {
  const { ledger, decisions } = stores;
  const total = ledger.endOffset();
  const { labels, names, catalogueSha256, ledgerSha256 } = await survey(ledger, total);
  yield `# ${JSON.stringify({ catalogueSha256, ledgerSha256, records: total })}\n`;
  yield `transaction_id,event_time_ms,label,fraud_type,${names.join(',')}\n`;
  let rowCount = 0;
  for (let offset = 0; offset < total;) {
    const rows = await ledger.read(offset, Math.min(READ_RECORDS, total - offset));
    const times = new Map<number, number>();
    for (const row of rows) {
      const record = decodeLedgerRecord(row.value);
      if (record.kind === 'transaction') times.set(row.offset, record.event.eventTimeMs);
    }
    const lines: string[] = [];
    for (const { ledgerOffset, value } of await decisions.read(offset, offset + rows.length)) {
      const decision = codecs.decision.decode(value);
      if (decision.status !== 'new' || decision.catalogueSha256 !== catalogueSha256) continue;
      const label = labels.get(ledgerOffset);
      const features = decision.features.map((feature) => (Number.isNaN(feature) ? '' : String(feature)));
      lines.push(
        `${csvText(decision.transactionId)},${String(times.get(ledgerOffset) ?? 0)},` +
          `${label?.label === 'fraud' ? '1' : '0'},${csvText(label?.fraudType ?? '')},${features.join(',')}\n`,
      );
    }
    rowCount += lines.length;
    offset += rows.length;
    onProgress(offset, total, rowCount);
    if (lines.length > 0) yield lines.join('');
  }
}

/** Reads the ledger once for what a row cannot know: labels that came later, and the newest catalogue. */
async function survey(
  ledger: Ledger,
  total: number,
): Promise<{
  readonly labels: ReadonlyMap<number, Label>;
  readonly names: readonly string[];
  readonly catalogueSha256: string;
  readonly ledgerSha256: string;
}> {
  const hash = createHash('sha256');
  const labels = new Map<number, Label>();
  const log = new PublicationLog();
  let names: readonly string[] = [];
  let catalogueSha256 = '';
  for (let offset = 0; offset < total;) {
    const rows = await ledger.read(offset, Math.min(READ_RECORDS, total - offset));
    for (const row of rows) {
      hash.update(row.value);
      const { kind, payload } = codecs.ledgerRecord.decode(row.value);
      if (kind === 'label') {
        const label = codecs.label.decode(payload);
        if (label.transactionOffset !== null) labels.set(label.transactionOffset, label);
      } else if (kind === 'ruleSetPublication') {
        const publication = codecs.ruleSetPublication.decode(payload);
        if (!log.apply(row.offset, publication)) continue;
        const parsed = parseConfiguration(publication.content);
        const compiled = parsed.ok ? compileConfiguration(parsed.value) : parsed;
        if (!compiled.ok) continue;
        log.tookEffect(compiled.value.definition.approvals ?? 0);
        names = compiled.value.catalogue.names;
        catalogueSha256 = compiled.value.catalogue.sha256;
      }
    }
    offset += rows.length;
  }
  return { labels, names, catalogueSha256, ledgerSha256: hash.digest('hex') };
}

function csvText(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

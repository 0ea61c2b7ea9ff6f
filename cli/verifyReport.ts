import type { VerifyReport } from '../pipeline/chain/verifyStores.ts';
import { MAX_NAMED } from '../pipeline/chain/findings.ts';
import { textTable } from './textTable.ts';

/** The report for people: a table of the stores, the rows that are not what they were, and what the check proves. */
export function verifyReport(report: VerifyReport): string {
  const { stores, findings, totalFindings } = report;
  const rows = stores.map(({ store, rows: count, findings: wrong }) => [store, number(count), number(wrong)]);
  const table = textTable([['store', 'rows', 'not as they were'], ...rows]);
  const named = findings.map(({ store, ledgerOffset, transactionId, kind, detail }) => {
    const where = ledgerOffset === null ? '' : ` at ledger offset ${ledgerOffset}`;
    const whose = transactionId === null ? '' : `, transaction ${transactionId}`;
    return `${store}${where}${whose}: ${kind}${detail === '' ? '' : `: ${detail}`}\n`;
  });
  const more = totalFindings - findings.length;
  const cut = more > 0 ? `and ${number(more)} more; the first ${MAX_NAMED} of each store are named\n` : '';
  return `${table}${named.join('')}${cut}${conclusion(report)}`;
}

function conclusion(report: VerifyReport): string {
  const { records, chainBegin, sealedTo, head, historyTo, totalFindings, seconds } = report;
  const lines: string[] = [];
  if (chainBegin === null)
    lines.push(
      'No record is sealed: an older Sluice wrote them all, so the stores were only compared with each other.',
    );
  else if (chainBegin > 0)
    lines.push(
      `The chain begins at ledger offset ${chainBegin}: records before it are of an older Sluice, and were only compared between ` +
        'the stores.',
    );
  if (chainBegin !== null && sealedTo < records)
    lines.push(`${number(records - sealedTo)} records at the end are not decided yet, and not sealed.`);
  if (historyTo === null) lines.push('History was not looked at.');
  else if (historyTo < records) lines.push(`${number(records - historyTo)} records at the end are not in history yet.`);
  const verdict =
    totalFindings === 0
      ? 'Nothing was changed, added or removed'
      : totalFindings === 1
        ? '1 row is not what it was'
        : `${number(totalFindings)} rows are not what they were`;
  lines.push(`${verdict}: ${number(records)} ledger records looked at in ${seconds.toFixed(1)} s.`);
  if (head !== null && totalFindings === 0)
    lines.push(`Head of the chain, to be kept elsewhere: ${head.ledgerOffset}:${head.chainSha256}`);
  return `${lines.join('\n')}\n`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

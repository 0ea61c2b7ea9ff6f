import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { isPlainColumn, paymentsSql, withinSql, type PaymentsSource } from './paymentsSql.ts';

/**
 * Whether `text`, of the payment p, was on the list when the payment was decided: SQL over p. The payments on it are found first, each
 * with the last change of its text before it, and looked up by offset then.
 */
export function listMembershipSql(list: string, text: string, source: PaymentsSource): string {
  const facts = source.facts.lists.get(list);
  if (facts === undefined || facts.changes === 0) return 'false';
  const { toOffset } = source.facts.span;
  const isUndeclared = (offset: string): string =>
    facts.undeclared.map((span) => `${offset} BETWEEN ${span.fromOffset} AND ${span.toOffset - 1}`).join(' OR ');
  const ends = facts.undeclared.map((span) => span.fromOffset).join(', ');
  // A list that a configuration leaves out loses its entries.
  const until =
    facts.undeclared.length === 0
      ? 'next_offset'
      : `least(next_offset, arrayMin(arrayMap(ends -> if(ends > ledger_offset, ends, ${toOffset}), [${ends}])))`;
  const entries =
    `SELECT value, ledger_offset AS put_offset, ${until} AS until_offset, expires_at FROM (` +
    'SELECT value, ledger_offset, action, expires_at, ' +
    `leadInFrame(ledger_offset, 1, toUInt64(${toOffset})) OVER (PARTITION BY value ORDER BY ledger_offset ` +
    'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_offset ' +
    `FROM ${HISTORY_DATABASE}.list_changes WHERE list = ${quoteText(list)} AND ledger_offset < ${toOffset}` +
    `${facts.undeclared.length === 0 ? '' : ` AND NOT (${isUndeclared('ledger_offset')})`}) WHERE action = 'put'`;
  // Most lists name few of the texts that payments have: an index finds where those are.
  const everListed = `SELECT value FROM ${HISTORY_DATABASE}.list_changes WHERE list = ${quoteText(list)} AND ledger_offset < ${toOffset}`;
  const payments = isPlainColumn(text)
    ? `SELECT ledger_offset, ${text} AS sought FROM ${HISTORY_DATABASE}.transactions AS p ` +
      `WHERE ${withinSql(source, 'p.ledger_offset')} AND ${text} IN (${everListed})`
    : `SELECT ledger_offset, toNullable(${text}) AS sought FROM (${paymentsSql(source)}) AS p`;
  const found =
    `SELECT sought.ledger_offset AS ledger_offset, entry.expires_at AS expires_at FROM (${payments}) AS sought ` +
    `INNER JOIN (${entries}) AS entry ON entry.value = sought.sought ` +
    'WHERE entry.put_offset < sought.ledger_offset AND sought.ledger_offset < entry.until_offset';
  const offsets = facts.expires
    ? `SELECT d.ledger_offset FROM ${HISTORY_DATABASE}.decisions AS d INNER JOIN (${found}) AS found ` +
      'ON found.ledger_offset = d.ledger_offset ' +
      `WHERE ${withinSql(source, 'd.ledger_offset')} ` +
      'AND (found.expires_at IS NULL OR found.expires_at > d.engine_time)'
    : `SELECT ledger_offset FROM (${found})`;
  return `(p.ledger_offset IN (${offsets}))`;
}

import type { RangeKind } from '../../operators/lists/listRange.ts';
import { HISTORY_DATABASE } from '../../operators/sql/history.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import { listRangesSql } from './listRangesSql.ts';
import { paymentsSql, withinSql, type PaymentsSource } from './paymentsSql.ts';

/** What is asked of a list. */
export interface ListQuestion {
  readonly list: string;
  readonly ranges: RangeKind;
  /** SQL over the payment p: a text or NULL. */
  readonly text: string;
  /** Whether the text is made of the payment's own columns alone, and not of features or the model's score. */
  readonly isOfPayment: boolean;
}

/**
 * Whether a text of the payment p was on the list when the payment was decided: SQL over p. The payments on it are found first, each
 * with the last change of its text before it, and looked up by offset then.
 */
export function listMembershipSql({ list, ranges, text, isOfPayment }: ListQuestion, source: PaymentsSource): string {
  const facts = source.facts.lists.get(list);
  if (facts === undefined || facts.changes === 0) return 'false';
  const { toOffset } = source.facts.span;
  const changes = `FROM ${HISTORY_DATABASE}.list_changes WHERE list = ${quoteText(list)} AND ledger_offset < ${toOffset}`;
  const payments = isOfPayment
    ? `SELECT ledger_offset, ${text} AS sought FROM ${HISTORY_DATABASE}.transactions AS p WHERE ${withinSql(source, 'p.ledger_offset')}`
    : `SELECT ledger_offset, toNullable(${text}) AS sought FROM (${paymentsSql(source)}) AS p`;
  const exact = entriesSql(changes, source, list);
  const distinct = `SELECT DISTINCT assumeNotNull(sought) AS sought FROM (${payments}) WHERE sought IS NOT NULL`;
  const entries = ranges === 'none' ? exact : `${exact} UNION ALL ${listRangesSql(ranges, exact, distinct)}`;
  // Most lists name few of the texts that payments have: an index finds where those are.
  const listed = ranges === 'none' && isOfPayment ? ` AND ${text} IN (SELECT value ${changes})` : '';
  const found =
    `SELECT sought.ledger_offset AS ledger_offset, entry.expires_at AS expires_at FROM (${payments}${listed}) AS sought ` +
    `INNER JOIN (${entries}) AS entry ON entry.value = sought.sought ` +
    'WHERE entry.put_offset < sought.ledger_offset AND sought.ledger_offset < entry.until_offset';
  const offsets = facts.expires
    ? `SELECT d.ledger_offset FROM ${HISTORY_DATABASE}.decisions AS d INNER JOIN (${found}) AS found ` +
      `ON found.ledger_offset = d.ledger_offset WHERE ${withinSql(source, 'd.ledger_offset')} ` +
      'AND (found.expires_at IS NULL OR found.expires_at > d.engine_time)'
    : `SELECT ledger_offset FROM (${found})`;
  return `(p.ledger_offset IN (${offsets}))`;
}

/** What was put on a list, from which offset until which. */
function entriesSql(changes: string, { facts }: PaymentsSource, list: string): string {
  const { toOffset } = facts.span;
  const undeclared = facts.lists.get(list)?.undeclared ?? [];
  const isUndeclared = undeclared.map((span) => `ledger_offset BETWEEN ${span.fromOffset} AND ${span.toOffset - 1}`);
  const ends = undeclared.map((span) => span.fromOffset).join(', ');
  // A list that a configuration leaves out loses its entries.
  const until =
    undeclared.length === 0
      ? 'next_offset'
      : `least(next_offset, arrayMin(arrayMap(ends -> if(ends > ledger_offset, ends, ${toOffset}), [${ends}])))`;
  return (
    `SELECT value, ledger_offset AS put_offset, ${until} AS until_offset, expires_at FROM (` +
    'SELECT value, ledger_offset, action, expires_at, ' +
    `leadInFrame(ledger_offset, 1, toUInt64(${toOffset})) OVER (PARTITION BY value ORDER BY ledger_offset ` +
    'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_offset ' +
    `${changes}${isUndeclared.length === 0 ? '' : ` AND NOT (${isUndeclared.join(' OR ')})`}) WHERE action = 'put'`
  );
}

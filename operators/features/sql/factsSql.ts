import { HISTORY_DATABASE } from '../../sql/history.ts';

/** A fact that a `where` reads, as the query finds it: what was known of the event when the payment was decided. */
export type FactName = 'label' | 'outcome' | 'reversed' | 'refunded';

/** Columns over `event` and `payment`, in the order in which they may refer to each other. */
export function factDefinitions(fact: FactName): readonly (readonly [name: string, sql: string])[] {
  // A reversal takes its payment back before its own features are read. No reversal has the offset 0.
  if (fact === 'reversed') return [[fact, 'event.reversed_at BETWEEN 1 AND payment.ledger_offset']];
  if (fact === 'refunded') {
    const known = 'if(refund.1 <= payment.ledger_offset, refund.2, 0)';
    return [[fact, `arraySum(arrayMap(refund -> ${known}, event.refunds))`]];
  }
  const last = `last_${fact}`;
  return [
    [last, `arrayLast(known -> known.1 < payment.ledger_offset, event.${fact}s).2`],
    [fact, `if(${last} = '', 'none', ${last})`],
  ];
}

/** What the events have of the facts, as columns, and the joins that bring them. */
export function factJoins(facts: readonly FactName[]): { readonly columns: readonly string[]; readonly sql: string } {
  const joins = facts.map(factJoin);
  return { columns: joins.map(({ column }) => column), sql: joins.map(({ sql }) => sql).join('') };
}

/** Of labels and outcomes, pairs of ledger offset and value by rising offset; of reversals, the first one's ledger offset; of refunds, offset and amount. */
function factJoin(fact: FactName): { readonly column: string; readonly sql: string } {
  if (fact === 'reversed') {
    const isWhole = "(reversal.type = 'reversal' OR reversal.amount_minor >= original.amount_minor)";
    return {
      column: 'known_reversals.reversed_at AS reversed_at',
      sql: reversalsJoin('known_reversals', 'min(reversal.ledger_offset) AS reversed_at', isWhole),
    };
  }
  if (fact === 'refunded') {
    const isPart = "reversal.type = 'refund' AND reversal.amount_minor < original.amount_minor";
    return {
      column: 'known_refunds.refunds AS refunds',
      sql: reversalsJoin(
        'known_refunds',
        'groupArray((reversal.ledger_offset, reversal.amount_minor)) AS refunds',
        isPart,
      ),
    };
  }
  return {
    column: `known_${fact}s.${fact}s AS ${fact}s`,
    sql: `
  LEFT JOIN (
    SELECT transaction_offset, arraySort(groupArray((ledger_offset, ${fact}))) AS ${fact}s
    FROM ${HISTORY_DATABASE}.${fact}s WHERE transaction_offset IS NOT NULL GROUP BY transaction_offset
  ) AS known_${fact}s ON known_${fact}s.transaction_offset = transactions.ledger_offset`,
  };
}

/** What reversals and refunds, those for which `condition` holds, make of the payments that they name. */
function reversalsJoin(name: string, column: string, condition: string): string {
  return `
  LEFT JOIN (
    SELECT original.ledger_offset AS transaction_offset, ${column}
    FROM ${HISTORY_DATABASE}.transactions AS original
    INNER JOIN (
      SELECT original_transaction_id, ledger_offset, type, amount_minor
      FROM ${HISTORY_DATABASE}.transactions WHERE type IN ('reversal', 'refund')
    ) AS reversal ON reversal.original_transaction_id = original.transaction_id
    WHERE reversal.ledger_offset > original.ledger_offset AND ${condition}
    GROUP BY original.ledger_offset
  ) AS ${name} ON ${name}.transaction_offset = transactions.ledger_offset`;
}

import { HISTORY_DATABASE } from '../../sql/history.ts';

/** A fact that a `where` reads, as the query finds it: what was known of the event before the payment came. */
export type FactName = 'label' | 'outcome';

/** Columns over `event` and `payment`, in the order in which they may refer to each other. */
export function factDefinitions(fact: FactName): readonly (readonly [name: string, sql: string])[] {
  const last = `last_${fact}`;
  return [
    [last, `arrayLast(known -> known.1 < payment.ledger_offset, event.${fact}s).2`],
    [fact, `if(${last} = '', 'none', ${last})`],
  ];
}

/** What the events have of the facts: for each a column `…s`, pairs of ledger offset and value by rising offset. */
export function factJoins(facts: readonly FactName[]): { readonly columns: readonly string[]; readonly sql: string } {
  const joins = facts.map(
    (fact) => `
  LEFT JOIN (
    SELECT transaction_offset, arraySort(groupArray((ledger_offset, ${fact}))) AS ${fact}s
    FROM ${HISTORY_DATABASE}.${fact}s WHERE transaction_offset IS NOT NULL GROUP BY transaction_offset
  ) AS known_${fact}s ON known_${fact}s.transaction_offset = transactions.ledger_offset`,
  );
  return { columns: facts.map((fact) => `known_${fact}s.${fact}s AS ${fact}s`), sql: joins.join('') };
}

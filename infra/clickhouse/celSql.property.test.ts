import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareContext } from '../../operators/cel/bareContext.ts';
import { CelEvaluationError } from '../../operators/cel/celEvaluationError.ts';
import { compileCel, type CompiledExpression } from '../../operators/cel/compile.ts';
import type { EvaluationContext } from '../../operators/cel/context.ts';
import type { CelColumns } from '../../operators/cel/sql/celColumns.ts';
import { celToSql } from '../../operators/cel/sql/celToSql.ts';
import {
  knownTexts,
  randomCondition,
  randomWholeNumber,
  randomNumber,
  randomPayment,
  randomScope,
} from '../../operators/cel/testing/randomExpression.ts';
import { quoteText } from '../../operators/sql/sqlText.ts';
import type { Transaction } from '../../schemas/types.ts';
import { platformPackage } from './embedded/platform.ts';
import { ClickHouseHistory } from './history.ts';
import { TestEngine } from './testing/engine.ts';
import { paymentRecord } from './testing/paymentRecord.ts';

const CATALOGUE = { catalogueSha256: 'a'.repeat(64), names: ['a', 'b', 'c'] };
const PAYMENTS = 120;
const EXPRESSIONS = 800;
const EXPRESSIONS_PER_QUERY = 25;
const seed = Number(process.env['SLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 1e9));

interface Row {
  readonly tx: Transaction;
  readonly features: readonly [number, number, number];
  readonly probability: number;
}

const columns: CelColumns = {
  payment: 'tx.',
  feature: (name) => `decision.f_${name}`,
  label: "'none'",
  outcome: "'none'",
  reversed: 'false',
  modelScore: 'ifNull(1000.0 * decision.model_score, nan)',
  modelProbability: 'ifNull(decision.model_score, nan)',
  list: (_name, text) => `has([${knownTexts.map(quoteText).join(', ')}], ${text})`,
};

if (platformPackage() === undefined) console.log('celSql.property.test: no ClickHouse engine here, not run');

describe.runIf(platformPackage() !== undefined)('CEL as ClickHouse SQL', () => {
  let engine: TestEngine;
  let history: ClickHouseHistory;
  let rows: readonly Row[];

  beforeAll(async () => {
    console.log(`celSql.property.test: SLUICE_TEST_SEED=${seed}`);
    engine = await TestEngine.start();
    history = new ClickHouseHistory({ url: engine.clickHouse.url });
    await history.prepare([CATALOGUE]);
    const row = fc.record({
      tx: randomPayment,
      features: fc.tuple(randomNumber, randomNumber, randomWholeNumber),
      probability: fc.constantFrom(0, 0.25, 0.5, 1),
    });
    rows = fc
      .sample(row, { seed, numRuns: PAYMENTS })
      .map(({ tx, ...rest }, offset) => ({ ...rest, tx: { ...tx, transactionId: `t-${offset}` } }));
    const records = rows.map(({ tx, features, probability }, offset) =>
      paymentRecord(offset, tx, { features: [...features], modelScore: probability }),
    );
    await history.write({ fromOffset: 0, toOffset: records.length, records });
  });
  afterAll(async () => {
    await history.close();
    await engine.stop();
  });

  it('gives what the closures give, failures too, on random expressions and payments', async () => {
    const sources = new Set(fc.sample(randomCondition, { seed, numRuns: 2 * EXPRESSIONS }));
    const compiled: CompiledExpression[] = [];
    for (const source of sources) {
      const result = compileCel(source, randomScope);
      if (result.ok && compiled.length < EXPRESSIONS) compiled.push(result.value);
    }
    const seen = { true: 0, false: 0, failed: 0 };
    for (let first = 0; first < compiled.length; first += EXPRESSIONS_PER_QUERY) {
      const part = compiled.slice(first, first + EXPRESSIONS_PER_QUERY);
      const results = await evaluate(part.map(({ source }) => celToSql(source, randomScope, columns).sql));
      for (const [column, expression] of part.entries()) {
        for (const [offset, row] of rows.entries()) {
          const expected = closureResult(expression, row);
          const given = results[offset]?.[column];
          const got = given === null ? 'failed' : String(Boolean(given));
          seen[expected]++;
          if (got !== expected) {
            const { sql } = celToSql(expression.source, randomScope, columns);
            expect.fail(`${expression.source}\nis ${expected}, in SQL ${got}:\n${sql}\n${JSON.stringify(row)}`);
          }
        }
      }
    }
    console.log(
      `celSql.property.test: ${compiled.length} expressions on ${rows.length} payments: ${JSON.stringify(seen)}`,
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(1_000);
  }, 120_000);

  it.each([
    ['tx.amountMinor < 500', 'tx.amount_minor < 500'],
    ["tx.type == 'refund'", "tx.type = 'refund'"],
    ["tx.country != 'CN'", "NOT ifNull(tx.country = 'CN', false)"],
    ['tx.device == null && f.a > 3', '(tx.device IS NULL) AND (decision.f_a > 3.0)'],
    ["hour(tx.eventTimeMs, '+08:00') < 5", 'toHour(tx.event_time + INTERVAL 480 MINUTE) < 5'],
    ["'otp' in tx.authMethods", "has(tx.auth_methods, 'otp')"],
  ])('reads as a person would write it: %s', (source, sql) => {
    expect(celToSql(source, randomScope, columns).sql).toBe(sql);
  });

  async function evaluate(expressions: readonly string[]): Promise<readonly (readonly unknown[])[]> {
    const query =
      `SELECT ${expressions.map((sql, index) => `${sql} AS e${index}`).join(',\n')}\n` +
      'FROM sluice.transactions AS tx INNER JOIN sluice.decisions AS decision ON decision.ledger_offset = tx.ledger_offset\n' +
      'ORDER BY tx.ledger_offset';
    const result = await engine.client.query({ query, format: 'JSONCompactEachRow' });
    return result.json<unknown[]>();
  }
});

function closureResult(
  expression: CompiledExpression,
  { tx, features, probability }: Row,
): 'true' | 'false' | 'failed' {
  const context: EvaluationContext = bareContext({
    tx,
    features: Float64Array.from(features),
    modelScore: 1_000 * probability,
    modelProbability: probability,
    lists: { has: (_list, value) => knownTexts.includes(value), isEmpty: () => false },
  });
  try {
    return expression.test(context) ? 'true' : 'false';
  } catch (error) {
    if (error instanceof CelEvaluationError) return 'failed';
    throw error;
  }
}

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openLmdb } from '../../infra/lmdb/openLmdb.ts';
import type { Ledger } from '../../pipeline/ports.ts';
import { codecs } from '../../schemas/codec.ts';
import { decodeLedgerRecord } from '../../schemas/ledgerCodec.ts';
import type { DeadLetter } from '../../schemas/types.ts';
import { errorCodeOf, httpCall, type HttpCall } from '../testing/httpCall.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

/** A row of the table in docs/errors.md, without its backquotes. */
interface Row {
  readonly input: string;
  readonly status: string;
  readonly code: string;
  readonly deadLetter: string;
  readonly counted: string;
}

const PAYMENT = {
  transactionId: 'bad-input-1',
  eventTimeMs: Date.now(),
  type: 'purchase',
  channel: 'card',
  amountMinor: 12_599,
  currency: 'CNY',
  account: 'a-102',
};
const AVRO_PAYMENT = codecs.gatewayTransaction.encode({
  ...PAYMENT,
  transactionId: 'bad-input-avro',
  type: 'purchase',
  channel: 'card',
  amountMinor: -1,
  card: null,
  device: null,
  ip: null,
  merchant: null,
  mcc: null,
  terminal: null,
  payee: null,
  country: null,
  authMethods: [],
  originalTransactionId: null,
  attributes: {},
});
const JSON_TYPE = { 'content-type': 'application/json' };
const DAY_MS = 86_400_000;

/** Replaces a value in the JSON of a payment by text of any kind. */
function withAmount(text: string): string {
  return JSON.stringify(PAYMENT).replace('12599', text);
}

function payment(fields: object): HttpCall {
  return { path: '/v1/transactions', headers: JSON_TYPE, body: JSON.stringify({ ...PAYMENT, ...fields }) };
}

function text(body: string | Buffer, path = '/v1/transactions'): HttpCall {
  return { path, headers: JSON_TYPE, body };
}

function avro(body: Buffer): HttpCall {
  return { path: '/v1/transactions', headers: { 'content-type': 'avro/binary' }, body };
}

const LABEL = { eventTimeMs: Date.now(), label: 'fraud', labelSource: 'review', transactionId: 'never-seen' };
const OUTCOME = { eventTimeMs: Date.now(), outcome: 'authorised', transactionId: 'never-seen' };
const LIST_ENTRY = '/v1/lists/blocked-accounts/a-1';

/** What is sent for each row; `key` says with which API key, the gateway's unless told. */
const INPUTS: Readonly<Record<string, HttpCall & { readonly key?: 'operator' | 'wrong' | 'none' }>> = {
  'text that is no JSON': text('{"transactionId": nonsense'),
  'text that is not UTF-8': text(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
  'JSON nested 1,000 levels deep': text('['.repeat(1_000) + ']'.repeat(1_000)),
  'an empty body': text(''),
  'an empty body without content type': { path: '/v1/transactions' },
  'JSON that is no object': text('["a payment"]'),
  'a required field left out': payment({ amountMinor: undefined }),
  'a field that does not exist': payment({ ammount: 1 }),
  'an amount that is text': payment({ amountMinor: '12599' }),
  'an amount with a fraction': payment({ amountMinor: 125.99 }),
  'an amount of 1e15': text(withAmount('1e15')),
  'an amount of 1e400': text(withAmount('1e400')),
  'a negative amount': payment({ amountMinor: -1 }),
  'an id of 65 characters': payment({ transactionId: 'x'.repeat(65) }),
  'a type that does not exist': payment({ type: 'gift' }),
  'a time after the year 2100': payment({ eventTimeMs: 4_200_000_000_000 }),
  'a time further ahead than input.maxFuture': payment({
    transactionId: 'ahead',
    eventTimeMs: Date.now() + DAY_MS,
  }),
  'a time further back than input.maxPast': payment({
    transactionId: 'behind',
    eventTimeMs: Date.now() - 30 * DAY_MS,
  }),
  'a card without number and token': payment({ card: { last4: '1111' } }),
  "a card number as the transaction's id": payment({ transactionId: '4111111111111111' }),
  'Avro of an unknown schema': avro(Buffer.concat([AVRO_PAYMENT.subarray(0, 2), Buffer.alloc(30, 7)])),
  'Avro that ends too early': avro(AVRO_PAYMENT.subarray(0, 20)),
  'Avro without the single-object header': avro(AVRO_PAYMENT.subarray(10)),
  'Avro with a negative amount': avro(AVRO_PAYMENT),
  'a known id with the same content': payment({}),
  'a known id with other content': payment({ amountMinor: 1 }),
  'a body of 10 MB': payment({ attributes: { text: 'x'.repeat(10_000_000) } }),
  'no API key': { ...payment({}), key: 'none' },
  'a wrong API key': { ...payment({}), key: 'wrong' },
  'an API key of another role': { method: 'GET', path: '/v1/lists' },
  'another content type': { ...payment({}), headers: { 'content-type': 'text/plain' } },
  'a compressed body': { ...payment({}), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } },
  'a batch that is no JSON': text('{"transactions": [', '/v1/transactions:batch'),
  'a batch with one negative amount': text(
    JSON.stringify({ transactions: [PAYMENT, { ...PAYMENT, transactionId: 'bad-input-2', amountMinor: -1 }] }),
    '/v1/transactions:batch',
  ),
  'an outcome that is no JSON': text('nonsense', '/v1/outcomes'),
  'an outcome of an unknown payment': text(JSON.stringify(OUTCOME), '/v1/outcomes'),
  'a label of an unknown kind': text(JSON.stringify({ ...LABEL, label: 'odd' }), '/v1/labels'),
  'a label of an unknown payment': text(JSON.stringify(LABEL), '/v1/labels'),
  'the verdict of an unknown payment': { method: 'GET', path: '/v1/verdicts/never-seen' },
  'an entry for an unknown list': { ...text('{}', '/v1/lists/nowhere/a-1'), method: 'PUT', key: 'operator' },
  'a list entry that is no JSON': { ...text('nonsense', LIST_ENTRY), method: 'PUT', key: 'operator' },
  'a posture that does not exist': {
    ...text('{"riskLevel":"panic"}', '/v1/posture'),
    method: 'PUT',
    key: 'operator',
  },
  'a route that does not exist': { method: 'GET', path: '/v2/transactions' },
  'a URL with a broken escape': { method: 'GET', path: '/v1/verdicts/%zz' },
  'headers of 20 KB': { method: 'GET', path: '/healthz', headers: { 'x-large': 'x'.repeat(20_000) } },
};

it('answers every kind of bad input as docs/errors.md says', async () => {
  const documented = documentedRows();
  expect(documented.map(({ input }) => input)).toEqual(Object.keys(INPUTS));
  const deployment = new TestDeployment({ replace: [['deadline: 100ms', 'deadline: 10s']] });
  const up = await deployment.up();
  const keys = { gateway: deployment.gatewayKey, operator: deployment.operatorKey, wrong: 'sk_wrong' };
  const send = (input: HttpCall, key: keyof typeof keys | 'none'): ReturnType<typeof httpCall> =>
    httpCall(up.url, {
      ...input,
      headers: { ...input.headers, ...(key === 'none' ? {} : { authorization: `Bearer ${keys[key]}` }) },
    });
  expect((await send(payment({}), 'gateway')).status).toBe(200);
  const data = openLmdb(deployment.dataDir, { readOnly: true });
  const observed: Row[] = [];
  const letters: DeadLetter[] = [];
  try {
    let offset = data.ledger.endOffset();
    for (const { input, counted } of documented) {
      const { key = 'gateway', ...call } = INPUTS[input] ?? { path: '/' };
      const before = await up.metric(counted);
      const reply = await send(call, key);
      const found = await deadLettersFrom(data.ledger, offset);
      offset = data.ledger.endOffset();
      letters.push(...found);
      observed.push({
        input,
        status: String(reply.status),
        code: errorCodeOf(reply.body),
        deadLetter: found.length === 0 ? '-' : found.map(({ subject }) => subject).join(', '),
        counted: (await up.metric(counted)) === before + 1 ? counted : 'not counted',
      });
    }
    expect(observed).toEqual(documented);

    await up.historyCaughtUp(offset);
    const rows = await up.historyRows(
      'SELECT subject, code, body, truncated FROM sluice.dead_letters ORDER BY ledger_offset',
    );
    expect(rows).toEqual(letters.map(({ subject, code, body, truncated }) => ({ subject, code, body, truncated })));
  } finally {
    await data.close();
  }
  expect(up.process.log().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  expect(await up.interrupt()).toBe(0);
});

async function deadLettersFrom(ledger: Ledger, fromOffset: number): Promise<DeadLetter[]> {
  const rows = await ledger.read(fromOffset, Math.max(0, ledger.endOffset() - fromOffset));
  return rows.flatMap(({ value }) => {
    const record = decodeLedgerRecord(value);
    return record.kind === 'deadLetter' ? [record.event] : [];
  });
}

function documentedRows(): Row[] {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const table = page.split('| input | status | code | dead letter | counted in |\n|---|---|---|---|---|\n')[1] ?? '';
  const lines = table.slice(0, table.indexOf('\n\n')).split('\n');
  return lines.map((line) => {
    const [input = '', status = '', code = '', deadLetter = '', counted = ''] = line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.replaceAll('`', ''));
    return { input, status, code, deadLetter, counted };
  });
}

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../../pipeline/simulate/random.ts';
import { testCardNumber } from '../../pipeline/simulate/testCard.ts';
import { codecs } from '../../schemas/codec.ts';
import { errorCodeOf, httpCall, type HttpCall } from '../testing/httpCall.ts';
import { readStored } from '../testing/storedPayments.ts';
import { TestDeployment } from '../testing/testDeployment.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const random = new Random(4, 'cards');
const used: string[] = [];

/** Published test numbers of other lengths and schemes: 13 to 19 digits. */
const PUBLISHED = [
  '4222222222222',
  '30569309025904',
  '38520000023237',
  '378282246310005',
  '371449635398431',
  '6011111111111117',
  '6304000000000000',
  '6205500000000000004',
] as const;

/** A test card number, remembered to be searched for. */
function card(): string {
  const pan = random.chance(0.3) ? random.pick(PUBLISHED) : testCardNumber(random);
  used.push(pan);
  return pan;
}

function grouped(pan: string, separator: string): string {
  return (pan.match(/.{4}/g) ?? []).join(separator);
}

let payments = 0;
function payment(fields: object): object {
  payments += 1;
  return {
    transactionId: `card-${payments}`,
    eventTimeMs: Date.now(),
    type: 'purchase',
    channel: 'card',
    amountMinor: 100,
    currency: 'CNY',
    ...fields,
  };
}

function post(fields: object, headers: object = {}): HttpCall {
  return { path: '/v1/transactions', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(payment(fields)) };
}

function text(body: string | Buffer, path = '/v1/transactions', headers: object = {}): HttpCall {
  return { path, headers: { ...JSON_TYPE, ...headers }, body };
}

function avro(pan: string, fields: { readonly transactionId?: string } = {}): Buffer {
  const { transactionId = `avro-${pan.slice(-4)}-${used.length}` } = fields;
  return codecs.gatewayTransaction.encode({
    transactionId,
    eventTimeMs: Date.now(),
    type: 'purchase',
    channel: 'card',
    amountMinor: 100,
    currency: 'CNY',
    account: null,
    card: { pan, token: null, bin: null, last4: null },
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
}

function avroCall(body: Buffer): HttpCall {
  return { path: '/v1/transactions', headers: { 'content-type': 'avro/binary' }, body };
}

const feedbackTimeMs = Date.now();
const label = (fields: object): HttpCall =>
  text(
    JSON.stringify({
      transactionId: 'card-1',
      eventTimeMs: feedbackTimeMs,
      label: 'fraud',
      labelSource: 'review',
      ...fields,
    }),
    '/v1/labels',
  );
const outcome = (fields: object): HttpCall =>
  text(
    JSON.stringify({ transactionId: 'card-1', eventTimeMs: feedbackTimeMs, outcome: 'authorised', ...fields }),
    '/v1/outcomes',
  );
const list = (value: string, fields: Partial<HttpCall> = {}): HttpCall => ({
  ...text('{"reason":"seen"}', `/v1/lists/blocked-cards/${encodeURIComponent(value)}`),
  method: 'PUT',
  ...fields,
});
const get = (path: string, headers: Record<string, string> = {}): HttpCall => ({ method: 'GET', path, headers });

/** Card numbers where they belong, where senders put them by mistake, and where an attacker would. */
function inputs(): HttpCall[] {
  const spaced = grouped(card(), ' ');
  const listed = card();
  return [
    // Where it belongs.
    post({ card: { pan: card() } }),
    avroCall(avro(card())),
    text(JSON.stringify({ transactions: [payment({ card: { pan: card() } })] }), '/v1/transactions:batch'),
    // In other fields of a payment that is taken.
    post({ account: card(), device: `d-${card()}`, merchant: grouped(card(), '-'), payee: grouped(card(), ' ') }),
    post({ card: { token: card() }, terminal: grouped(card(), '.') }),
    post({ attributes: { note: `paid with ${spaced}, thanks`, other: card(), dashed: `x ${grouped(card(), '-')} y` } }),
    post({ attributes: { number: Number(card()), negative: -Number(card()) } }),
    // In fields that refuse it.
    post({ transactionId: card() }),
    post({ transactionId: `t-${grouped(card(), '-')}`, originalTransactionId: card() }),
    post({ originalTransactionId: card() }),
    post({ ip: card(), country: card(), currency: card(), mcc: card() }),
    post({ ip: card() }),
    post({ authMethods: [card()] }),
    post({ attributes: { [card()]: 1 } }),
    post({ [card()]: 'unknown field' }),
    post({ type: card() }),
    post({ card: card() }),
    post({ card: { pan: Number(card()) } }),
    post({ card: { pan: grouped(card(), ' ') } }),
    post({ card: { pan: `${card()}x` } }),
    post({ card: [card()], amountMinor: Number(card()), eventTimeMs: card() }),
    // In what cannot be parsed.
    text(`{"card":{"pan":"${card()}"`),
    text(`pan=${grouped(card(), ' ')}&amount=1`),
    text(Buffer.concat([Buffer.from(`{"pan":"${card()}"}`), Buffer.from([0xff])])),
    text(Buffer.from(`{"pan":"${card()}"}`, 'utf16le')),
    text(JSON.stringify(card())),
    text(`[[[${card()}]]]`),
    text(`{"transactions":"${card()}"}`, '/v1/transactions:batch'),
    text(
      `{"transactions":[${JSON.stringify(payment({ transactionId: card() }))}, {"x":"${card()}"`,
      '/v1/transactions:batch',
    ),
    text(`{"transactions":[{"pan":"${card()}"}, ${card()}]}`, '/v1/transactions:batch'),
    avroCall(avro(card()).subarray(0, 40)),
    avroCall(avro(card()).subarray(10)),
    avroCall(Buffer.concat([avro(card()), Buffer.from(card())])),
    avroCall(avro(card(), { transactionId: card() })),
    // In the same payment sent again, with another card.
    text(JSON.stringify({ ...payment({}), transactionId: 'card-1', card: { pan: card() } })),
    // In labels and outcomes.
    label({ transactionId: card() }),
    label({ fraudType: card() }),
    label({ label: card() }),
    label({ labelSource: card(), note: card() }),
    outcome({ responseCode: card() }),
    outcome({ transactionId: grouped(card(), ' ') }),
    outcome({ outcome: card() }),
    // In lists: values, reasons, names.
    list(listed),
    list(grouped(listed, '-')),
    list(`holder of ${card()}`),
    list('a-1', { body: JSON.stringify({ reason: `card ${card()}` }) }),
    list('a-1', { body: `{"${card()}":1}` }),
    list('a-1', { body: card(), path: `/v1/lists/${card()}/${card()}` }),
    { ...get(`/v1/lists/blocked-cards/${card()}?reason=${card()}`), method: 'DELETE' },
    get(`/v1/lists/blocked-cards/${listed}`),
    get(`/v1/lists/blocked-cards?after=${card()}`),
    get(`/v1/lists/blocked-cards?limit=${card()}`),
    get('/v1/lists/blocked-cards'),
    {
      ...text(JSON.stringify({ riskLevel: 'normal', reason: `because of ${card()}` }), '/v1/posture'),
      method: 'PUT',
    },
    { ...text(JSON.stringify({ riskLevel: card() }), '/v1/posture'), method: 'PUT' },
    get('/v1/posture'),
    // In URLs and headers.
    get(`/v1/verdicts/${card()}`),
    get(`/v1/verdicts/${encodeURIComponent(grouped(card(), ' '))}?card=${card()}`),
    get(`/pay/${card()}?pan=${card()}`),
    get(`/v1/verdicts/${card()}%zz`),
    { method: card(), path: '/v1/transactions' },
    post({}, { 'user-agent': `gateway ${card()}`, 'x-request-id': card(), referer: card(), cookie: `pan=${card()}` }),
    text('nonsense', '/v1/transactions', {
      'content-type': `application/json; card=${card()}`,
      'x-request-id': card(),
    }),
    text('nonsense', '/v1/transactions', { 'content-type': card(), 'content-encoding': card() }),
    get('/v1/lists', { authorization: `Bearer ${card()}` }),
    get('/v1/lists', { 'x-api-key': card(), authorization: `Basic ${card()}` }),
    // What they became: keys of the feature windows.
    get('/v1/state'),
  ];
}

it('keeps no card number anywhere: ledger, decisions, history, log, metrics, replies', async () => {
  const deployment = new TestDeployment({ replace: [['deadline: 100ms', 'deadline: 10s']] });
  const up = await deployment.up();
  const shown: string[] = [];
  const statuses = new Map<number, number>();
  for (const call of inputs()) {
    const reply = await httpCall(up.url, {
      ...call,
      headers: { authorization: `Bearer ${deployment.operatorKey}`, ...call.headers },
    }).catch(() => null);
    // A method that is a number is no HTTP: the parser ends the connection, with or without a word.
    if (reply === null) continue;
    shown.push(`reply: ${reply.text}`);
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    expect(errorCodeOf(reply.body)).not.toBe('SLUICE_INTERNAL');
  }
  // The inputs do reach what they are to test: verdicts, dead letters, conflicts, unknown payments, accepted changes.
  expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200, 202, 400, 401, 404, 409, 415]));

  await up.historyCaughtUp((await readStored(deployment.dataDir)).records.length);
  const tables = await up.historyRows("SELECT name FROM system.tables WHERE database = 'sluice' AND engine != 'View'");
  expect(tables.length).toBeGreaterThan(10);
  for (const { name } of tables) {
    const rows = await up.historyRows(`SELECT * FROM sluice.\`${String(name)}\``);
    shown.push(`history ${String(name)}: ${JSON.stringify(rows)}`);
  }
  shown.push(`metrics: ${await up.metrics()}`);
  expect(await up.interrupt()).toBe(0);
  shown.push(`log: ${up.process.output}`);
  const stored = await readStored(deployment.dataDir);
  for (const record of stored.records) shown.push(`ledger: ${JSON.stringify(record)}`);
  for (const decision of stored.decisions) shown.push(`decision: ${JSON.stringify(decision)}`);
  for (const file of filesIn(deployment.dataDir)) {
    shown.push(`file ${file}: ${readFileSync(join(deployment.dataDir, file)).toString('latin1')}`);
  }

  expect(used.length).toBeGreaterThan(90);
  const search = new RegExp(used.map((pan) => [...pan].join('[ \\t.\\-]?')).join('|'), 'g');
  const found = shown.flatMap((where) => [...where.matchAll(search)].map((match) => excerpt(where, match.index)));
  expect(found).toEqual([]);
  // What is there instead: tokens, and the masked rest.
  expect(JSON.stringify(stored.records)).toMatch(/tok_[A-Za-z0-9_-]{43}/);
  expect(JSON.stringify(stored.records)).toContain('************');
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(folder, file)).isFile(),
  );
}

function excerpt(where: string, index: number): string {
  return `${where.slice(0, 60)} … ${where.slice(Math.max(0, index - 80), index + 24)}`;
}

import type { HistoryRecord } from '../../pipeline/ports.ts';
import type { Decision, Transaction } from '../../schemas/types.ts';
import { dateTime, HistoryTable, nullableString, schemaDoc } from './historyTable.ts';
import { BoolColumn, Float64Column, Int32Column, Integer64Column } from './nativeColumn.ts';
import { ArrayColumn, LowCardinalityColumn, MapColumn, StringColumn } from './nativeTextColumn.ts';

/** What a payment said, one typed column per field. */
abstract class PaymentTable extends HistoryTable {
  readonly #ingestTime = this.add('ingest_time', dateTime(), schemaDoc('LedgerRecord', 'ingestTimeMs'));
  readonly #source = this.add('source', new LowCardinalityColumn(), schemaDoc('LedgerRecord', 'source'));
  readonly #transactionId = this.add('transaction_id', new StringColumn(), doc('transactionId'), { index: 'bloom' });
  readonly #eventTime = this.add('event_time', dateTime(), doc('eventTimeMs'), { index: 'minmax' });
  readonly #type = this.add('type', new LowCardinalityColumn(), doc('type'));
  readonly #channel = this.add('channel', new LowCardinalityColumn(), doc('channel'));
  readonly #amountMinor = this.add('amount_minor', new Integer64Column('Int64'), doc('amountMinor'));
  readonly #currency = this.add('currency', new LowCardinalityColumn(), doc('currency'));
  readonly #account = this.add('account', nullableString(), doc('account'), { index: 'bloom' });
  readonly #cardToken = this.add('card_token', nullableString(), cardDoc('token'), { index: 'bloom' });
  readonly #cardBin = this.add('card_bin', new LowCardinalityColumn('nullable'), cardDoc('bin'));
  readonly #cardLast4 = this.add('card_last4', nullableString(), cardDoc('last4'));
  readonly #device = this.add('device', nullableString(), doc('device'), { index: 'bloom' });
  readonly #ip = this.add('ip', nullableString(), doc('ip'), { index: 'bloom' });
  readonly #merchant = this.add('merchant', nullableString(), doc('merchant'), { index: 'bloom' });
  readonly #mcc = this.add('mcc', new LowCardinalityColumn('nullable'), doc('mcc'));
  readonly #terminal = this.add('terminal', nullableString(), doc('terminal'));
  readonly #payee = this.add('payee', nullableString(), doc('payee'), { index: 'bloom' });
  readonly #country = this.add('country', new LowCardinalityColumn('nullable'), doc('country'));
  readonly #authMethods = this.add('auth_methods', new ArrayColumn(new LowCardinalityColumn()), doc('authMethods'));
  readonly #originalTransactionId = this.add('original_transaction_id', nullableString(), doc('originalTransactionId'));
  readonly #texts = this.add('attributes_text', new MapColumn(new StringColumn()), `Text: ${doc('attributes')}`);
  readonly #numbers = this.add('attributes_number', new MapColumn(new Float64Column()), `Number: ${doc('attributes')}`);
  readonly #flags = this.add('attributes_flag', new MapColumn(new BoolColumn()), `Yes or no: ${doc('attributes')}`);

  protected pushPayment(record: HistoryRecord, tx: Transaction): void {
    this.ledgerOffset.push(record.offset);
    this.#ingestTime.push(record.ingestTimeMs);
    this.#source.push(record.source);
    this.#transactionId.push(tx.transactionId);
    this.#eventTime.push(tx.eventTimeMs);
    this.#type.push(tx.type);
    this.#channel.push(tx.channel);
    this.#amountMinor.push(tx.amountMinor);
    this.#currency.push(tx.currency);
    this.#account.push(tx.account);
    this.#cardToken.push(tx.card === null ? null : tx.card.token);
    this.#cardBin.push(tx.card === null ? null : tx.card.bin);
    this.#cardLast4.push(tx.card === null ? null : tx.card.last4);
    this.#device.push(tx.device);
    this.#ip.push(tx.ip);
    this.#merchant.push(tx.merchant);
    this.#mcc.push(tx.mcc);
    this.#terminal.push(tx.terminal);
    this.#payee.push(tx.payee);
    this.#country.push(tx.country);
    for (const method of tx.authMethods) this.#authMethods.elements.push(method);
    this.#authMethods.endRow();
    this.#originalTransactionId.push(tx.originalTransactionId);
    this.#pushAttributes(tx.attributes);
  }

  #pushAttributes(attributes: Transaction['attributes']): void {
    for (const name in attributes) {
      const value = attributes[name];
      if (typeof value === 'string') {
        this.#texts.keys.push(name);
        this.#texts.values.push(value);
      } else if (typeof value === 'number') {
        this.#numbers.keys.push(name);
        this.#numbers.values.push(value);
      } else if (typeof value === 'boolean') {
        this.#flags.keys.push(name);
        this.#flags.values.push(value);
      }
    }
    this.#texts.endRow();
    this.#numbers.endRow();
    this.#flags.endRow();
  }
}

/** Every payment once, as it first came. */
export class TransactionTable extends PaymentTable {
  constructor() {
    super('transactions', 'Payments, one row each, as first received. Retries and conflicts are in repeats.');
  }

  push(record: HistoryRecord, tx: Transaction): void {
    this.pushPayment(record, tx);
  }
}

/** Payments whose id was seen before. */
export class RepeatTable extends PaymentTable {
  readonly #status = this.add('status', new LowCardinalityColumn(), decisionDoc('status'));
  readonly #originalOffset = this.add('original_offset', new Integer64Column('UInt64'), decisionDoc('originalOffset'));
  readonly #contentHash = this.add('content_hash', new StringColumn(), decisionDoc('contentHash'));
  readonly #verdict = this.add('verdict', new LowCardinalityColumn(), 'The verdict that was answered.');
  readonly #score = this.add('score', new Int32Column(), decisionDoc('score'));

  constructor() {
    super(
      'repeats',
      'Payments whose id had been seen before: retries with the same content (duplicate) or other content (conflict).',
    );
  }

  push(record: HistoryRecord, tx: Transaction, decision: Decision): void {
    this.pushPayment(record, tx);
    this.#status.push(decision.status);
    this.#originalOffset.push(decision.originalOffset ?? decision.ledgerOffset);
    this.#contentHash.push(decision.contentHash);
    this.#verdict.push(decision.verdict);
    this.#score.push(decision.score);
  }
}

function doc(field: string): string {
  return schemaDoc('Transaction', field);
}

function decisionDoc(field: string): string {
  return schemaDoc('Decision', field);
}

function cardDoc(field: 'token' | 'bin' | 'last4'): string {
  return {
    token: "Token of the card: HMAC-SHA256 of its number under the deployment's key, or the gateway's own.",
    bin: 'Issuer identification number of the card.',
    last4: 'Last four digits of the card.',
  }[field];
}

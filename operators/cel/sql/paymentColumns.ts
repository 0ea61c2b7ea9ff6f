/** Columns of the history's transactions, by the field of a payment. */
export const paymentColumns = {
  transactionId: { column: 'transaction_id', isNullable: false },
  type: { column: 'type', isNullable: false },
  channel: { column: 'channel', isNullable: false },
  currency: { column: 'currency', isNullable: false },
  account: { column: 'account', isNullable: true },
  device: { column: 'device', isNullable: true },
  ip: { column: 'ip', isNullable: true },
  merchant: { column: 'merchant', isNullable: true },
  mcc: { column: 'mcc', isNullable: true },
  terminal: { column: 'terminal', isNullable: true },
  payee: { column: 'payee', isNullable: true },
  country: { column: 'country', isNullable: true },
  originalTransactionId: { column: 'original_transaction_id', isNullable: true },
  'card.token': { column: 'card_token', isNullable: true },
  'card.bin': { column: 'card_bin', isNullable: true },
  'card.last4': { column: 'card_last4', isNullable: true },
} as const satisfies Readonly<Record<string, { readonly column: string; readonly isNullable: boolean }>>;

export type TextField = keyof typeof paymentColumns;

export function isTextField(field: string): field is TextField {
  return Object.hasOwn(paymentColumns, field);
}

/** Columns that hold the rest of a payment. */
export const otherColumns = {
  amountMinor: 'amount_minor',
  eventTimeMs: 'event_time',
  authMethods: 'auth_methods',
  attributesText: 'attributes_text',
  attributesNumber: 'attributes_number',
  attributesFlag: 'attributes_flag',
} as const;

/** The text attribute of this name, NULL when it is absent or no text. */
export function textAttribute(prefix: string, quotedName: string): string {
  return attribute(`${prefix}${otherColumns.attributesText}`, quotedName);
}

/** The value in one of the attribute maps; NULL, not the type's default, when it is not in it. */
export function attribute(map: string, quotedName: string): string {
  return `if(mapContains(${map}, ${quotedName}), ${map}[${quotedName}], NULL)`;
}

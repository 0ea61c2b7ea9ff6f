import type { Transaction } from '../../schemas/types.ts';
import { attributeName } from './keyField.ts';

/** Where a payment was: attributes in degrees (WGS 84), undefined outside their range. The pair stands in this order. */
export const coordinateFields = ['latitude', 'longitude'] as const;
export const MAX_LATITUDE = 90;
export const MAX_LONGITUDE = 180;

/** Fields whose numbers first and last give. */
export function isNumberField(field: string): boolean {
  return field === 'amountMinor' || attributeName(field) !== null;
}

/** What reads a number beside the amount; NaN when the payment has none that is finite. */
export function numberReader(field: string): (tx: Transaction) => number {
  if (field === 'latitude') return (tx) => attributeWithin(tx, field, MAX_LATITUDE);
  if (field === 'longitude') return (tx) => attributeWithin(tx, field, MAX_LONGITUDE);
  const name = attributeName(field);
  if (name === null) throw new Error(`SLUICE_STATE_KEY: no number ${field}`);
  return (tx) => attributeWithin(tx, name, Number.MAX_VALUE);
}

function attributeWithin(tx: Transaction, name: string, greatest: number): number {
  const value = Object.hasOwn(tx.attributes, name) ? tx.attributes[name] : undefined;
  return typeof value === 'number' && Math.abs(value) <= greatest ? value : Number.NaN;
}

import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { dayOfWeek, hour, offsetMs } from './calendar.ts';
import { isNear, median, placesKm } from './numbers.ts';
import { LABELS, OUTCOMES } from './facts.ts';

export type CelParams = Readonly<Record<string, number | string | boolean | readonly string[]>>;

/**
 * What an expression may read. `features` are the names that `f.name` may use: the expression's index for a name is its
 * place here, so pass the catalogue's names from its first one on.
 */
export type CelScope =
  /** `tx`, and what became known of it: `label`, `outcome`, `reversed`. Result: bool. */
  | { readonly kind: 'where' }
  /** `tx` and `f`. Result: bool or number. */
  | { readonly kind: 'expression'; readonly features: readonly string[] }
  /** `tx`, `f`, `m`, `p` and `list(name, value)`. Result: bool. */
  | {
      readonly kind: 'rule';
      readonly features: readonly string[];
      readonly params: CelParams;
      readonly lists: readonly string[];
    };

export const maxExpressionLength = 4096;
export const maxExpressionNodes = 500;
export const maxExpressionDepth = 50;

/** Transaction fields that are strings and may be null. */
export const nullableTextFields = [
  'account',
  'device',
  'ip',
  'merchant',
  'mcc',
  'terminal',
  'payee',
  'country',
  'originalTransactionId',
] as const;

/** Values of the closed fields: a comparison with anything else can never be true, and is refused. */
export const closedValues: Readonly<Record<string, readonly string[]>> = {
  'tx.type': ['purchase', 'withdrawal', 'transfer', 'topUp', 'refund', 'reversal', 'other'],
  'tx.channel': ['card', 'wallet', 'bankTransfer', 'qr', 'other'],
  label: LABELS,
  outcome: OUTCOMES,
};

/** Functions an expression may call; `size` and `matches` are checked under other names, since the library has its own. */
export const functionNames = [
  'has',
  'defined',
  'size',
  'abs',
  'min',
  'max',
  'median',
  'near',
  'distanceKm',
  'hour',
  'dayOfWeek',
  'matches',
  'list',
] as const;
export const methodNames = ['startsWith', 'endsWith', 'contains', 'matches', 'size'] as const;
export const sizeFunction = 'sizeAsDouble';
/** The library's own backtracks. */
export const matchesFunction = 'matchesLinearly';
/** Numbers that min, max and median take at most. */
export const maxNumbers = 8;

/**
 * The type environment of a scope. Every number is a double here (literals are made doubles before the check), so
 * nobody meets CEL's int/double overloads. `nullableText` is what nullable strings are declared as: 'string' checks
 * strictly; 'dyn' lets the library's own evaluator run over nulls (tests).
 */
export function celEnvironment(scope: CelScope, nullableText: 'string' | 'dyn' = 'string'): Environment {
  const environment = new Environment({
    limits: {
      maxAstNodes: maxExpressionNodes,
      maxDepth: maxExpressionDepth,
      maxListElements: maxExpressionNodes,
      maxCallArguments: 8,
    },
  });
  environment
    .registerType('Card', { fields: { token: nullableText, bin: nullableText, last4: nullableText } })
    .registerType('Transaction', {
      fields: {
        transactionId: 'string',
        eventTimeMs: 'double',
        type: 'string',
        channel: 'string',
        amountMinor: 'double',
        currency: 'string',
        card: 'Card',
        authMethods: 'list<string>',
        attributes: 'map<string, dyn>',
        ...Object.fromEntries(nullableTextFields.map((name) => [name, nullableText])),
      },
    })
    .registerVariable('tx', 'Transaction')
    .registerFunction('defined(double): bool', (value: number) => !Number.isNaN(value))
    .registerFunction(`${sizeFunction}(string): double`, (value: string) => codePoints(value))
    .registerFunction(`${sizeFunction}(list): double`, (value: readonly unknown[]) => value.length)
    .registerFunction(`string.${sizeFunction}(): double`, (value: string) => codePoints(value))
    .registerFunction(`list.${sizeFunction}(): double`, (value: readonly unknown[]) => value.length)
    .registerFunction('abs(double): double', Math.abs)
    .registerFunction('near(double, double, double): bool', isNear)
    .registerFunction('distanceKm(double, double, double, double): double', placesKm)
    .registerFunction(`${matchesFunction}(string, string): bool`, matchesPattern)
    .registerFunction(`string.${matchesFunction}(string): bool`, matchesPattern)
    .registerFunction('hour(Transaction): double', (tx: { eventTimeMs: number }) => hour(tx.eventTimeMs, 0))
    .registerFunction('hour(Transaction, string): double', (tx: { eventTimeMs: number }, zone: string) =>
      hour(tx.eventTimeMs, zoneOffset(zone)),
    )
    .registerFunction('dayOfWeek(Transaction): double', (tx: { eventTimeMs: number }) => dayOfWeek(tx.eventTimeMs, 0))
    .registerFunction('dayOfWeek(Transaction, string): double', (tx: { eventTimeMs: number }, zone: string) =>
      dayOfWeek(tx.eventTimeMs, zoneOffset(zone)),
    )
    .registerFunction('hour(double): double', (timeMs: number) => hour(timeMs, 0))
    .registerFunction('hour(double, string): double', (timeMs: number, zone: string) => hour(timeMs, zoneOffset(zone)))
    .registerFunction('dayOfWeek(double): double', (timeMs: number) => dayOfWeek(timeMs, 0))
    .registerFunction('dayOfWeek(double, string): double', (timeMs: number, zone: string) =>
      dayOfWeek(timeMs, zoneOffset(zone)),
    )
    .registerOperator('double % double: double', (a: number, b: number) => a % b)
    .registerOperator('string == null: bool', (a: unknown, b: unknown) => a === b)
    .registerOperator('Card == null: bool', (a: unknown, b: unknown) => a === b);
  for (let count = 2; count <= maxNumbers; count++) {
    const types = Array.from({ length: count }, () => 'double').join(', ');
    environment
      .registerFunction(`min(${types}): double`, (...values: number[]) => Math.min(...values))
      .registerFunction(`max(${types}): double`, (...values: number[]) => Math.max(...values))
      .registerFunction(`median(${types}): double`, (...values: number[]) => median(values));
  }
  if (scope.kind === 'where') {
    return environment
      .registerVariable('label', 'string')
      .registerVariable('outcome', 'string')
      .registerVariable('reversed', 'bool');
  }
  registerRecord(environment, 'Features', 'f', Object.fromEntries(scope.features.map((name) => [name, 'double'])));
  if (scope.kind === 'expression') return environment;
  registerRecord(environment, 'Model', 'm', { score: 'double', probability: 'double' });
  registerRecord(
    environment,
    'Params',
    'p',
    Object.fromEntries(Object.entries(scope.params).map(([name, value]) => [name, paramType(value)])),
  );
  return environment.registerFunction('list(string, string): bool', () => false);
}

function matchesPattern(text: string, pattern: string): boolean {
  return RE2JS.compile(pattern).test(text);
}

/** Unicode code points, as CEL's size() counts them. */
export function codePoints(value: string): number {
  let count = 0;
  for (let index = 0; index < value.length; count++) index += (value.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  return count;
}

function registerRecord(environment: Environment, type: string, name: string, fields: Record<string, string>): void {
  environment.registerType(type, { fields }).registerVariable(name, type);
}

function paramType(value: CelParams[string]): string {
  switch (typeof value) {
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return 'list<string>';
  }
}

function zoneOffset(zone: string): number {
  const offset = offsetMs(zone);
  if (offset === undefined) throw new RangeError(`'${zone}' is no offset from UTC`);
  return offset;
}

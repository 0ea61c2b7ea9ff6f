import type { RiskLevel, Transaction } from '../schemas/types.ts';
import type { ConfigurationProblem, LetThroughDefinition } from './definitions.ts';
import { MAX_AMOUNT_MINOR } from './features/limits.ts';
import { fnv1a, isInRollout } from './rules/rollout.ts';

/** More would not measure declines but give them up. */
export const MAX_LET_THROUGH_PERCENT = 10;
export const MAX_LET_THROUGH_CURRENCIES = 200;
const MAX_SALT_LENGTH = 64;

/** Tells whether a payment that would be declined is let through. */
export type LetsThrough = (tx: Transaction, riskLevel: RiskLevel) => boolean;

/**
 * Whether a would-be decline is let through: of an amount up to its currency's limit, of an account in the share, and not in a
 * lockdown, when nobody wants a fraud to pass for the sake of a figure. Sticky by account, so that a customer is not declined and
 * approved by turns.
 */
export function compileLetThrough(definition: LetThroughDefinition): LetsThrough {
  const { percent, maxAmountMinor } = definition;
  const limits = new Map(Object.entries(maxAmountMinor));
  const seed = fnv1a(`${letThroughName(definition)}/`);
  return (tx, riskLevel) =>
    riskLevel !== 'lockdown' && tx.amountMinor <= (limits.get(tx.currency) ?? -1) && isInRollout(seed, percent, tx);
}

/** What the share is hashed by. No rule's id has a colon, so that no rule is rolled out to the very same accounts. */
export function letThroughName({ salt }: LetThroughDefinition): string {
  return `let-through:${salt}`;
}

/** Faults of the settings, by their path in the policy. */
export function letThroughProblems(definition: LetThroughDefinition | undefined): readonly ConfigurationProblem[] {
  if (definition === undefined) return [];
  const { percent, maxAmountMinor, salt } = definition;
  const problems: ConfigurationProblem[] = [];
  const fault = (path: readonly string[], message: string): void => {
    const whole = ['letThrough', ...path];
    problems.push({
      code: 'SLUICE_LET_THROUGH',
      section: 'policy',
      path: whole,
      message: `${whole.join('.')} ${message}`,
    });
  };
  if (!(percent > 0 && percent <= MAX_LET_THROUGH_PERCENT))
    fault(
      ['percent'],
      `must be more than 0 and at most ${MAX_LET_THROUGH_PERCENT} (percent of the accounts; 0.1 is one in a thousand); ` +
        'leave letThrough out to let nothing through',
    );
  const limits = Object.entries(maxAmountMinor);
  if (limits.length === 0 || limits.length > MAX_LET_THROUGH_CURRENCIES)
    fault(
      ['maxAmountMinor'],
      `must name 1 to ${MAX_LET_THROUGH_CURRENCIES} currencies, such as { CNY: 20000 }: payments in others are never let through`,
    );
  for (const [currency, limit] of limits) {
    if (!/^[A-Z]{3}$/.test(currency))
      fault(['maxAmountMinor', currency], 'is no currency: write its three letters, such as CNY');
    if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_AMOUNT_MINOR))
      fault(['maxAmountMinor', currency], 'must be a whole number of minor units, 1 or more: 20000 is 200.00');
  }
  if (salt.trim() === '' || salt.length > MAX_SALT_LENGTH)
    fault(['salt'], `must be 1 to ${MAX_SALT_LENGTH} characters; another salt chooses other accounts`);
  return problems;
}

import { InvalidArgumentError, Option } from 'commander';

/** An option that is a TCP port; 0 takes any free one. */
export function portOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => wholeNumber(text, 0, 65_535));
}

/** An option that is a whole number. */
export function numberOption(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser((text) => wholeNumber(text, min, max));
}

/** Runs without ClickHouse, as where its engine cannot run. */
export function noHistoryOption(): Option {
  return new Option(
    '--no-history',
    'start no ClickHouse; the ledger keeps all, and the next run with history writes it',
  );
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`Must be a whole number from ${String(min)} to ${String(max)}.`);
}

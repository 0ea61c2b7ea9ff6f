import { z } from 'zod';
import { closestName } from './closestName.ts';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a group of settings (name: value lines)',
  record: 'a group of name: value lines',
  array: 'a list (lines that start with -)',
  tuple: 'a list (lines that start with -)',
};

/** Says what a schema found wrong in words for people who do not program. Follows the name of the setting. */
export function explainIssue(issue: RawIssue): string {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}`;
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys.map((key) => unknownKey(key, known)).join('\n');
    }
    case 'invalid_value':
      return unknownValue(issue.input, issue.values.map(String));
    case 'too_small':
      return `must ${boundOf(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${boundOf(issue.origin, 'at most', issue.maximum)}`;
    case 'invalid_union':
      return 'does not have one of the forms it may have';
    case 'invalid_format':
      return `must look like ${issue.pattern ?? issue.format}`;
    default:
      return 'is not valid';
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = closestName(key, known);
  const hint = meant === undefined ? `possible here: ${known.join(', ')}` : `did you mean ${meant}?`;
  return `there is no setting ${key} here; ${hint}`;
}

function unknownValue(input: unknown, values: readonly string[]): string {
  const meant = typeof input === 'string' ? closestName(input, values) : undefined;
  const list = values.length === 1 ? `must be ${values[0] ?? ''}` : `must be one of ${values.join(', ')}`;
  return meant === undefined ? list : `${list}; did you mean ${meant}?`;
}

function boundOf(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} characters`;
  if (origin === 'array') return `have ${bound} ${limit} entries`;
  return `be ${bound} ${limit}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && Number.isNaN(value)) return 'not-a-number';
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    object: 'a group of settings',
  };
  return names[typeof value] ?? typeof value;
}

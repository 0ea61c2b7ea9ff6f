import type { ASTNode } from '@marcbachmann/cel-js';
import type { EvaluationContext } from './context.ts';
import { CelEvaluationError } from './celEvaluationError.ts';
import { CelCompileError, unsupported, type CelErrorCode } from './celCompileError.ts';
import { childrenOf } from './childrenOf.ts';
import { compileNode } from './compileNode.ts';
import { costOf } from './cost.ts';
import { factsRead, type FactsRead } from './facts.ts';
import type { Uses } from './node.ts';
import {
  celEnvironment,
  functionNames,
  maxExpressionDepth,
  maxExpressionLength,
  maxExpressionNodes,
  matchesFunction,
  methodNames,
  sizeFunction,
  type CelScope,
} from './scope.ts';

/**
 * A checked expression as closures. They read the context they are given, keep nothing, and throw only
 * CelEvaluationError.
 *
 * What the language is here (a subset of CEL, https://github.com/google/cel-spec):
 * - Every number is a double: `3` and `3.0` are the same, `tx.amountMinor / 100` keeps its fraction, `x / 0` is
 *   infinite or NaN, as in IEEE 754.
 * - An undefined feature is NaN. `<`, `<=`, `>`, `>=` and `==` with NaN are false, so a rule on a missing feature stays
 *   silent; `!=` and a negated comparison are true: write `defined(f.x) && f.x != 3`.
 * - Absent text is null: `tx.device == null`, `tx.country != 'CN'` (true when absent), string functions and `in` are
 *   false on null, size is 0. Without a card, `tx.card == null` and its fields are null.
 * - `tx.attributes.x` fails when absent (the rule is then reported as failed); guard it with `has(tx.attributes.x)`.
 *   Compared with a number by `<` and the like it must be a number. `&&` and `||` ignore a failing side when the other
 *   one decides, as CEL says.
 * - Functions: has, defined, size, abs, min, max, median (of 2 to 8 numbers), near(a, b, ratio), distanceKm(latitude, longitude,
 *   latitude, longitude), hour(tx[, "+08:00"]), dayOfWeek(tx[, "+08:00"]) (0 is Sunday; a time in milliseconds will do too),
 *   list(name, value), x.startsWith(s), x.endsWith(s), x.contains(s), x.matches(pattern), x.size().
 * - Zones are offsets from UTC: what a named zone means changes with each release of the time zone data, and Node and ClickHouse
 *   bring different ones, so that the same ledger would not give the same decisions.
 */
export interface CompiledExpression {
  readonly source: string;
  readonly type: 'bool' | 'double';
  readonly evaluate: (context: EvaluationContext) => boolean | number;
  /** For a bool. */
  readonly test: (context: EvaluationContext) => boolean;
  /** The number, or 1 and 0 for true and false. */
  readonly number: (context: EvaluationContext) => number;
  /** Names the expression reads, without repeats, in order of appearance. */
  readonly features: readonly string[];
  readonly params: readonly string[];
  readonly lists: readonly string[];
  readonly usesModel: boolean;
  /** What may become known of a payment and change the value. */
  readonly facts: FactsRead;
  /** What evaluating takes at most: see cost.ts. */
  readonly steps: number;
}

export type CelCompilation =
  | { readonly ok: true; readonly value: CompiledExpression }
  | {
      readonly ok: false;
      readonly code: CelErrorCode;
      readonly message: string;
      /** Character offset in the source, from 0. */
      readonly position: number;
    };

/** Parses, type-checks and compiles an expression. Never throws on a bad one. */
export function compileCel(source: string, scope: CelScope): CelCompilation {
  if (source.length > maxExpressionLength)
    return refuse('SLUICE_CEL_TOO_LARGE', `the expression is longer than ${maxExpressionLength} characters`, 0);
  try {
    const parsed = parseForCheck(source, scope);
    const check = parsed.check();
    if (!check.valid) return refuseLibraryError(check.error, 'SLUICE_CEL_TYPE', source);
    const uses: Uses = { features: new Set(), params: new Set(), lists: new Set(), model: false };
    const root = compileNode(parsed.ast, scope, uses);
    const names = {
      source,
      features: [...uses.features],
      params: [...uses.params],
      lists: [...uses.lists],
      usesModel: uses.model,
      facts: factsRead(parsed.ast),
      steps: costOf(parsed.ast),
    };
    if (root.type === 'bool') {
      const test = root.evaluate;
      return {
        ok: true,
        value: { ...names, type: 'bool', evaluate: test, test, number: (context) => (test(context) ? 1 : 0) },
      };
    }
    if (scope.kind !== 'expression')
      return refuse('SLUICE_CEL_TYPE', `must be true or false, but is ${describe(root.type)}`, 0);
    if (root.type === 'double') return { ok: true, value: { ...names, ...numberClosures(root.evaluate) } };
    if (root.type === 'dyn') {
      const value = root.evaluate;
      const number = (context: EvaluationContext): number => {
        const result = value(context);
        if (typeof result === 'string') throw new CelEvaluationError('the attribute is text, not a number', 0);
        return Number(result);
      };
      return { ok: true, value: { ...names, ...numberClosures(number) } };
    }
    return refuse('SLUICE_CEL_TYPE', `must be a number, true or false, but is ${describe(root.type)}`, 0);
  } catch (error) {
    if (error instanceof CelCompileError) return refuse(error.code, error.message, error.position);
    return refuseLibraryError(error, 'SLUICE_CEL_SYNTAX', source);
  }
}

/** Parses with the library and makes the tree ready for its check and evaluator: numbers as doubles. */
export function parseForCheck(source: string, scope: CelScope, nullableText: 'string' | 'dyn' = 'string') {
  const parsed = celEnvironment(scope, nullableText).parse(source);
  prepare(parsed.ast, 1);
  return parsed;
}

function numberClosures(number: (context: EvaluationContext) => number) {
  return { type: 'double' as const, evaluate: number, number, test: (c: EvaluationContext) => number(c) !== 0 };
}

/** Refuses what is not in the subset, bounds the depth, makes integer literals doubles and size() give a double. */
function prepare(node: ASTNode, depth: number): void {
  if (depth > maxExpressionDepth)
    throw new CelCompileError('SLUICE_CEL_TOO_LARGE', `nested deeper than ${maxExpressionDepth} levels`, node.start);
  if (node.op === 'value') {
    if (typeof node.args === 'bigint') Object.assign(node, { args: Number(node.args) });
    else if (typeof node.args === 'object' && node.args !== null) throw unsupported('this literal', node.start);
  }
  if (node.op === 'call') {
    const [name] = node.args;
    if (!functionNames.some((known) => known === name))
      throw unsupported(`the function ${name}()`, node.start, `functions: ${functionNames.join(', ')}`);
  }
  if (node.op === 'rcall') {
    const [name] = node.args;
    if (!methodNames.some((known) => known === name))
      throw unsupported(`.${name}()`, node.start, `methods: ${methodNames.join(', ')}`);
  }
  for (const child of childrenOf(node)) prepare(child, depth + 1);
  if (node.op !== 'call' && node.op !== 'rcall') return;
  if (node.args[0] === 'size') Object.assign(node.args, [sizeFunction]);
  if (node.args[0] === 'matches') Object.assign(node.args, [matchesFunction]);
}

function describe(type: string): string {
  return { double: 'a number', string: 'text', dyn: 'an attribute of unknown type; compare it' }[type] ?? type;
}

function refuse(code: CelErrorCode, message: string, position: number): CelCompilation {
  return { ok: false, code, message, position };
}

/** The library's errors carry a code, a one-line summary and a source range. */
function refuseLibraryError(error: unknown, fallback: CelErrorCode, source: string): CelCompilation {
  if (!(error instanceof Error) || !('summary' in error) || !('code' in error)) throw error;
  const summary = String(error.summary).replaceAll(sizeFunction, 'size').replaceAll(matchesFunction, 'matches');
  const range = 'range' in error ? error.range : undefined;
  const position =
    typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number'
      ? range.start
      : 0;
  switch (error.code) {
    case 'no_such_key':
      return refuse('SLUICE_CEL_UNKNOWN_NAME', unknownField(source, position, summary), position);
    case 'unknown_variable':
      return refuse('SLUICE_CEL_UNKNOWN_NAME', summary.replace('Unknown variable', 'unknown name'), position);
    default:
      if (/limit|exceed/i.test(`${String(error.code)} ${summary}`))
        return refuse('SLUICE_CEL_TOO_LARGE', `${summary} (at most ${maxExpressionNodes} nodes)`, position);
      return refuse(fallback, summary, position);
  }
}

function unknownField(source: string, position: number, summary: string): string {
  const owner = /([\w.]+)\s*\.\s*$/.exec(source.slice(0, position))?.[1] ?? 'it';
  const name = summary.replace('No such key: ', '');
  if (owner === 'f') return `unknown feature '${name}'`;
  if (owner === 'p') return `unknown param '${name}'`;
  return `${owner} has no field '${name}'`;
}

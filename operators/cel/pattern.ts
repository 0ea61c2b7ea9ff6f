import { RE2JS, RE2JSException } from 're2js';
import { CelCompileError } from './celCompileError.ts';

/** Instructions of a pattern's program: a text of n characters takes at most n times so many steps. */
export const maxPatternSize = 200;

/**
 * A pattern of matches() in RE2's syntax, compiled. RE2 takes time linear in the text, whatever the pattern: no payment can be made to
 * take long by what is written in it. ClickHouse matches with RE2 itself.
 */
export function compilePattern(pattern: string, position: number): RE2JS {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new CelCompileError('SLUICE_CEL_TYPE', `matches(): ${error.message}`, position);
  }
  const size = compiled.programSize();
  if (size > maxPatternSize)
    throw new CelCompileError(
      'SLUICE_CEL_COST',
      `the pattern of matches() takes ${size} steps a character, at most ${maxPatternSize} are allowed: shorten it, or lower its repeat counts`,
      position,
    );
  return compiled;
}

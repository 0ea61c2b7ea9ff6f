/** A mistake or a condition of the machine that the user can do something about: told in one line, without a stack. */
export class UserError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}

/** The line for any error, and whether it is one that a user can mend: those carry a code that starts with SLUICE_. */
export function explainError(error: unknown): { readonly line: string; readonly isExpected: boolean } {
  if (error instanceof UserError) return { line: error.message, isExpected: true };
  if (!(error instanceof Error)) return { line: String(error), isExpected: false };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('SLUICE_')) return { line: `${error.message} [${code}]`, isExpected: true };
  if (error.message.startsWith('SLUICE_')) return { line: error.message, isExpected: true };
  if (code === 'ENOSPC') return { line: `The disk is full: ${error.message}`, isExpected: true };
  if (code === 'ENOENT' || code === 'EACCES') return { line: error.message, isExpected: true };
  return { line: error.message, isExpected: false };
}

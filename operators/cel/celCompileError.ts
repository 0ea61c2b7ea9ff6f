export type CelErrorCode =
  | 'SLUICE_CEL_SYNTAX'
  | 'SLUICE_CEL_TYPE'
  | 'SLUICE_CEL_UNKNOWN_NAME'
  | 'SLUICE_CEL_UNSUPPORTED'
  | 'SLUICE_CEL_TOO_LARGE'
  | 'SLUICE_CEL_COST';

/** An expression was refused. */
export class CelCompileError extends Error {
  readonly code: CelErrorCode;
  readonly position: number;
  constructor(code: CelErrorCode, message: string, position: number) {
    super(message);
    this.name = 'CelCompileError';
    this.code = code;
    this.position = position;
  }
}

export function unsupported(what: string, position: number, hint = ''): CelCompileError {
  const message = `${what} cannot be used here${hint === '' ? '' : ` (${hint})`}`;
  return new CelCompileError('SLUICE_CEL_UNSUPPORTED', message, position);
}

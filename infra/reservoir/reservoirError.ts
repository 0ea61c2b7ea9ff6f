/**
 * The feature state's event files cannot be written or read. The message is one line for the operator. BACKLOG: so many blocks
 * wait for their disk that no more are kept.
 */
export class ReservoirError extends Error {
  readonly code: 'SLUICE_RESERVOIR_IO' | 'SLUICE_RESERVOIR_DAMAGED' | 'SLUICE_RESERVOIR_BACKLOG';
  constructor(code: ReservoirError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ReservoirError';
    this.code = code;
  }
}

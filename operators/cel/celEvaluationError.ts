/** An expression that type-checks could not be evaluated on this payment, e.g. an attribute was absent or not a number. */
export class CelEvaluationError extends Error {
  readonly code = 'SLUICE_CEL_EVALUATION';
  /** Character offset in the expression's source, from 0. */
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.name = 'CelEvaluationError';
    this.position = position;
  }
}

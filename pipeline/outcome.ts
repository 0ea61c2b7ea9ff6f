import type { Decision, Fallback } from '../schemas/types.ts';
import type { Refusal } from './gateway.ts';

/** What a stage makes of its input. A closed union: one place handles every kind, and the compiler checks that it does. */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** Not acceptable: becomes a dead letter and an error reply. */
  | { readonly kind: 'reject'; readonly refusal: Refusal; readonly transactionId: string | null }
  /** Decided before, with the same content. */
  | { readonly kind: 'duplicate'; readonly decision: Decision }
  /** The first attempt was told this at its deadline. */
  | { readonly kind: 'fallbackGiven'; readonly fallback: Fallback }
  /** The id was used before, with other content. */
  | { readonly kind: 'conflict'; readonly refusal: Refusal; readonly transactionId: string }
  /** Cannot be taken now; nothing was written. */
  | { readonly kind: 'retry'; readonly refusal: Refusal; readonly retryAfterSeconds: number };

/** One step of the topology. */
export type Stage<Context, In, Out> = (context: Context, input: In) => Outcome<Out> | Promise<Outcome<Out>>;

export function ok<T>(value: T): Outcome<T> {
  return { kind: 'ok', value };
}

export function reject(
  code: string,
  field: string | null,
  message: string,
  transactionId: string | null = null,
): Outcome<never> {
  return { kind: 'reject', refusal: { code, field, message }, transactionId };
}

export function retry(code: string, message: string, retryAfterSeconds: number): Outcome<never> {
  return { kind: 'retry', refusal: { code, field: null, message }, retryAfterSeconds };
}

/** A chain of stages that is itself a stage: it ends at the first outcome that is not ok. */
export class Chain<Context, In, Out> {
  readonly run: (context: Context, input: In) => Promise<Outcome<Out>>;

  private constructor(run: (context: Context, input: In) => Promise<Outcome<Out>>) {
    this.run = run;
  }

  static from<Context, In, Out>(stage: Stage<Context, In, Out>): Chain<Context, In, Out> {
    return new Chain(async (context, input) => stage(context, input));
  }

  then<Next>(stage: Stage<Context, Out, Next>): Chain<Context, In, Next> {
    return new Chain(async (context, input) => {
      const outcome = await this.run(context, input);
      return outcome.kind === 'ok' ? stage(context, outcome.value) : outcome;
    });
  }
}

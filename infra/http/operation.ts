import type { Permission } from './apiKeys.ts';
import type { HttpRefusalName } from './httpError.ts';

/** One route, as the server registers it and the OpenAPI document describes it. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it: /v1/verdicts/{transactionId}. */
  readonly path: string;
  readonly tag:
    | 'Payments'
    | 'Feedback'
    | 'Lists'
    | 'Snoozes'
    | 'Posture'
    | 'Rules'
    | 'Publications'
    | 'Models'
    | 'Backtests'
    | 'Decisions'
    | 'State'
    | 'Live'
    | 'Operation';
  /** Null: public. */
  readonly permission: Permission | null;
  readonly summary: string;
  readonly description?: string;
  readonly body?: OperationBody;
  readonly query?: readonly QueryParameter[];
  /** By status: what is answered and the schema of it, by its name among the document's components. */
  readonly replies: Readonly<Record<number, OperationReply>>;
  /**
   * Further answers, beside those that every route with a key or a body can give. `overloaded`: it comes with every payment, and
   * is refused before its body is read when payments would wait too long.
   */
  readonly refusals?: readonly HttpRefusalName[];
}

export interface OperationBody {
  readonly schema: string;
  readonly required: boolean;
  readonly contentTypes: readonly BodyContentType[];
  readonly limit: 'maxBodyBytes' | 'maxBatchBytes' | 'maxModelBytes';
  readonly example?: Readonly<Record<string, unknown>>;
}

export type BodyContentType = 'application/json' | 'avro/binary';

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface OperationReply {
  readonly description: string;
  /** Absent: no JSON. */
  readonly schema?: string;
  readonly contentType?: string;
}

/** Bounds of the HTTP server. Every one is documented in docs/http.md, and passing it has an answer and a metric. */
export interface HttpSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** False lets everybody in as operator: only for a machine that nobody else reaches. */
  readonly requireKeys: boolean;
  /** Largest body of one payment, outcome, label, list entry or posture. */
  readonly maxBodyBytes: number;
  readonly maxBatchBytes: number;
  /** Of a model package. */
  readonly maxModelBytes: number;
  /** Payments in one batch. */
  readonly maxBatch: number;
  /** Payments being decided at the same moment; more are answered 429. */
  readonly maxInFlight: number;
  /** Sum of the bodies being received at the same moment; more are answered 429. */
  readonly maxBodyBytesInFlight: number;
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** A client must have sent its headers, and its whole request, in this time. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** An idle connection is closed after this time. */
  readonly keepAliveTimeoutMs: number;
  /** When the server stops, requests that have begun get this long to finish. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_HTTP_SETTINGS: HttpSettings = {
  host: '127.0.0.1',
  port: 8080,
  requireKeys: true,
  // A transaction with every field and attribute at its bound, all of it escaped, is about 80 KB of JSON.
  maxBodyBytes: 128 * 1024,
  maxBatchBytes: 1024 * 1024,
  // A model of 200 trees has 0.7 MB, and base64 makes a third more of it.
  maxModelBytes: 16 * 1024 * 1024,
  maxBatch: 500,
  maxInFlight: 2000,
  maxBodyBytesInFlight: 64 * 1024 * 1024,
  maxConnections: 1000,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  closeTimeoutMs: 3_000,
};

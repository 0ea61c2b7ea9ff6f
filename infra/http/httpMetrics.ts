/** What the HTTP server counts, and the page that Prometheus reads. infra/metrics implements it. */
export interface HttpMetrics {
  /** `route` is a route's pattern, never a URL: the number of series is bounded, and no id gets into them. */
  request(route: string, status: number, durationMs: number): void;
  /** A connection over maxConnections was dropped. */
  connectionDropped(): void;
  /** Bytes that were no HTTP, or did not arrive in time. */
  clientError(code: string): void;
  exposition(): Promise<{ readonly contentType: string; readonly text: string }>;
}

import http from 'node:http';
import https from 'node:https';

interface GatewayClientOptions {
  /** E.g. http://127.0.0.1:8080. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Connections kept open, at most. */
  readonly maxConnections: number;
  readonly timeoutMs: number;
}

/** What came back; status 0: nothing did (refused, reset, timed out). */
interface GatewayResponse {
  readonly status: number;
  readonly body: string;
}

/** No answer of the gateway API is longer. */
const MAX_BODY_BYTES = 1_048_576;

/**
 * Posts JSON over kept-alive connections. Built on node:http because fetch costs several times its CPU, which on a small
 * machine would be taken from the server under test.
 */
export class GatewayClient {
  readonly #options: GatewayClientOptions;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    const secure = new URL(options.baseUrl).protocol === 'https:';
    const agentOptions = { keepAlive: true, maxSockets: options.maxConnections, noDelay: true };
    this.#agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions);
    this.#request = secure ? https.request : http.request;
  }

  /** Never rejects. */
  post(path: string, json: string): Promise<GatewayResponse> {
    const { baseUrl, apiKey, timeoutMs } = this.#options;
    const body = Buffer.from(json);
    return new Promise((resolve) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': body.length,
        authorization: `Bearer ${apiKey}`,
      };
      const request = this.#request(
        new URL(path, baseUrl),
        { method: 'POST', agent: this.#agent, headers, timeout: timeoutMs },
        (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            if (length > MAX_BODY_BYTES) request.destroy();
            else chunks.push(chunk);
          });
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
          });
          response.on('close', () => {
            resolve({ status: 0, body: '' });
          });
          response.on('error', () => {
            resolve({ status: 0, body: '' });
          });
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => {
        resolve({ status: 0, body: '' });
      });
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

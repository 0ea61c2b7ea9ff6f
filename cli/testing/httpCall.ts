import { request, type OutgoingHttpHeaders } from 'node:http';

export interface HttpCall {
  readonly method?: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

export interface HttpReply {
  readonly status: number;
  /** Headers and body as text, to search in. */
  readonly text: string;
  readonly body: string;
}

/** One request on a connection of its own. A server that answers before it has read everything is heard. */
export function httpCall(baseUrl: string, call: HttpCall): Promise<HttpReply> {
  const { method = 'POST', path, headers = {}, body = '' } = call;
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(baseUrl);
    const length = method === 'GET' || method === 'DELETE' ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      { hostname, port, method, path, agent: false, headers: { ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            text: `${response.rawHeaders.join('\n')}\n\n${text}`,
            body: text,
          });
        });
      },
    );
    // After an early answer the rest of the body meets a closed connection: the answer counts.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The code of an error reply; '-' when it is none. */
export function errorCodeOf(body: string): string {
  return /^\{"error":\{"code":"(SLUICE_[A-Z_0-9]+)"/.exec(body)?.[1] ?? '-';
}

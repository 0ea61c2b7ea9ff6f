import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';

/**
 * lost: the request never arrives. unanswered: it is carried out, but the answer does not come back. late: as lost,
 * but it arrives after all once `deliverLate` is called, as a request of a dead process can.
 */
export type Fault = 'lost' | 'unanswered' | 'late';

/** Stands between a client and ClickHouse, and breaks the next statement that contains a given text. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #target: URL;
  #armed: { readonly statementPart: string; readonly fault: Fault } | null = null;
  readonly #late: (() => Promise<unknown>)[] = [];
  /** Faults that struck. */
  struckCount = 0;
  /** Statements that passed or struck, first line of each. */
  readonly statements: string[] = [];

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, answer) => {
      this.#handle(incoming, answer).catch(() => answer.destroy());
    });
  }

  static async start(targetUrl: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(targetUrl));
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  arm(statementPart: string, fault: Fault): void {
    this.#armed = { statementPart, fault };
  }

  async deliverLate(): Promise<void> {
    for (const deliver of this.#late.splice(0)) await deliver();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    await finished(incoming);
    const body = Buffer.concat(chunks);
    const statement = `${new URL(incoming.url ?? '/', this.#target).searchParams.get('query') ?? ''}\n${body.toString('latin1')}`;
    this.statements.push(statement.slice(0, 200));
    const fault = this.#strike(statement);
    if (fault === 'lost' || fault === 'late') {
      if (fault === 'late') this.#late.push(() => this.#forward(incoming, body));
      answer.destroy();
      return;
    }
    const { status, headers, content } = await this.#forward(incoming, body);
    if (fault === 'unanswered') answer.destroy();
    else answer.writeHead(status, headers).end(content);
  }

  #strike(statement: string): Fault | null {
    const armed = this.#armed;
    if (armed === null || !statement.includes(armed.statementPart)) return null;
    this.#armed = null;
    this.struckCount++;
    return armed.fault;
  }

  #forward(
    incoming: IncomingMessage,
    body: Buffer,
  ): Promise<{
    readonly status: number;
    readonly headers: Record<string, string | string[]>;
    readonly content: Buffer;
  }> {
    return new Promise((resolve, reject) => {
      const headers = { ...incoming.headers };
      delete headers['transfer-encoding'];
      const outgoing = request(
        new URL(incoming.url ?? '/', this.#target),
        { method: incoming.method ?? 'GET', headers: { ...headers, 'content-length': String(body.length) } },
        (reply) => {
          const chunks: Buffer[] = [];
          reply.on('data', (chunk: Buffer) => chunks.push(chunk));
          reply.on('error', reject);
          reply.on('end', () => {
            const passed: Record<string, string | string[]> = {};
            for (const [name, value] of Object.entries(reply.headers)) {
              if (value !== undefined && name !== 'transfer-encoding' && name !== 'content-length')
                passed[name] = value;
            }
            resolve({ status: reply.statusCode ?? 500, headers: passed, content: Buffer.concat(chunks) });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

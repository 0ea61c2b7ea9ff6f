import type { FastifyInstance } from 'fastify';
import type { HttpSettings } from './httpSettings.ts';

/** The address cannot be listened on. `message` is one line that says what to do. */
export class HttpListenError extends Error {
  readonly code: 'SLUICE_PORT_BUSY' | 'SLUICE_PORT_FORBIDDEN' | 'SLUICE_HOST_UNKNOWN';

  constructor(code: HttpListenError['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'HttpListenError';
    this.code = code;
  }
}

/** Starts to listen; resolves to the address, e.g. http://127.0.0.1:8080. */
export async function listenHttp(app: FastifyInstance, settings: Pick<HttpSettings, 'host' | 'port'>): Promise<string> {
  const { host, port } = settings;
  try {
    return await app.listen({ host, port });
  } catch (error) {
    throw listenError(error, host, port);
  }
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new HttpListenError(
        'SLUICE_PORT_BUSY',
        `port ${port} on ${host} is in use by another process: stop that, or choose another port`,
        error,
      );
    case 'EACCES':
      return new HttpListenError(
        'SLUICE_PORT_FORBIDDEN',
        `this user may not listen on port ${port}: choose one above 1023`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new HttpListenError(
        'SLUICE_HOST_UNKNOWN',
        `${host} is no address of this machine: check http.host`,
        error,
      );
    default:
      return error;
  }
}

import { exception } from './exception.ts';
import type { Engine, EngineConnection } from './engine.ts';
import type { RequestSettings } from './requestSettings.ts';

/** A connection for one request; `release` once nothing runs on it any more. */
export interface ConnectionLease {
  readonly connection: EngineConnection;
  readonly isSession: boolean;
  readonly release: () => void;
}

interface Session {
  readonly connection: EngineConnection;
  isBusy: boolean;
  onIdle: (() => void) | undefined;
  timer: NodeJS.Timeout | undefined;
}

const maxSessions = 100;
const settleMs = 500;

/**
 * One connection per request, or, with a session_id, one that keeps its settings, database and temporary tables until
 * it is unused for its timeout. As in ClickHouse, a session takes one request at a time.
 */
export class Sessions {
  readonly #engine: Engine;
  /** In the order of last use. */
  readonly #sessions = new Map<string, Session>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async lease(userName: string, settings: RequestSettings): Promise<ConnectionLease> {
    if (settings.sessionId === null || settings.sessionId === '') {
      const connection = this.#engine.connect();
      return {
        connection,
        isSession: false,
        release: () => {
          connection.close();
        },
      };
    }
    const key = JSON.stringify([userName, settings.sessionId]);
    await this.#untilIdle(key);
    const session = this.#sessions.get(key) ?? this.#open(settings);
    if (session.isBusy) throw exception('SESSION_IS_LOCKED', 'Session is locked by a concurrent client');
    session.isBusy = true;
    clearTimeout(session.timer);
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    return {
      connection: session.connection,
      isSession: true,
      release: () => {
        session.isBusy = false;
        session.onIdle?.();
        session.onIdle = undefined;
        session.timer = setTimeout(() => {
          this.#close(key, session);
        }, settings.sessionTimeoutSeconds * 1000);
        session.timer.unref();
      },
    };
  }

  closeIdle(): void {
    for (const [key, session] of this.#sessions) if (!session.isBusy) this.#close(key, session);
  }

  /** A client that has its whole result may ask on before the session is tidied up behind it. */
  async #untilIdle(key: string): Promise<void> {
    const session = this.#sessions.get(key);
    if (session?.isBusy !== true || session.onIdle !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, settleMs);
      session.onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    session.onIdle = undefined;
  }

  #open(settings: RequestSettings): Session {
    if (settings.isSessionRequired) throw exception('SESSION_NOT_FOUND', 'Session not found');
    if (this.#sessions.size >= maxSessions) this.#closeLongestIdle();
    return { connection: this.#engine.connect(), isBusy: false, onIdle: undefined, timer: undefined };
  }

  #closeLongestIdle(): void {
    for (const [key, session] of this.#sessions) {
      if (session.isBusy) continue;
      this.#close(key, session);
      return;
    }
    throw exception('TOO_MANY_SIMULTANEOUS_QUERIES', `Too many sessions. Maximum: ${String(maxSessions)}`);
  }

  #close(key: string, session: Session): void {
    clearTimeout(session.timer);
    this.#sessions.delete(key);
    session.connection.close();
  }
}

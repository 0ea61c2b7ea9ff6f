/**
 * Reads GET /v1/live and connects again by itself. EventSource is of no use here: it cannot send the key in a header,
 * and a key in a URL ends in logs.
 */
export class LiveStream {
  #handlers;
  #key = null;
  #aborter = null;
  #timer = 0;
  #attempts = 0;

  /** handlers: onEvent(event, data), onState('connecting' | 'live' | 'keyUnknown' | 'keyRole'), onLost({waitMs, isFull}) */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  start(key) {
    this.stop();
    this.#key = key;
    this.#attempts = 0;
    void this.#run();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#aborter?.abort();
    this.#aborter = null;
  }

  async #run() {
    const aborter = new AbortController();
    this.#aborter = aborter;
    this.#handlers.onState('connecting');
    let isFull = false;
    try {
      const headers = this.#key === null ? {} : { authorization: `Bearer ${this.#key}` };
      const response = await fetch('/v1/live', { headers, signal: aborter.signal, cache: 'no-store' });
      if (response.status === 401 || response.status === 403) {
        this.#handlers.onState(response.status === 401 ? 'keyUnknown' : 'keyRole');
        return;
      }
      isFull = response.status === 503;
      if (response.ok) await this.#read(response, aborter);
    } catch {
      // Whatever ended the stream, the answer is the same: connect again.
    }
    if (this.#aborter !== aborter) return;
    const waitMs = Math.min(10_000, 1000 * 2 ** this.#attempts++);
    this.#handlers.onLost({ waitMs, isFull });
    this.#timer = setTimeout(() => void this.#run(), waitMs);
  }

  async #read(response, aborter) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pending = '';
    let silence = 0;
    for (;;) {
      // A connection can die without a word: silence of 5 s, 20 updates, counts as that.
      clearTimeout(silence);
      silence = setTimeout(() => {
        aborter.abort();
      }, 5000);
      const { value, done } = await reader.read();
      if (done) break;
      pending += value;
      const messages = pending.split('\n\n');
      pending = messages.pop();
      for (const message of messages) {
        const event = /^event: (.*)$/m.exec(message)?.[1];
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data === undefined) continue;
        if (event === 'snapshot') {
          this.#attempts = 0;
          this.#handlers.onState('live');
        }
        this.#handlers.onEvent(event, JSON.parse(data));
      }
    }
    clearTimeout(silence);
  }
}

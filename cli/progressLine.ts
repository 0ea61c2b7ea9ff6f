/** One line on standard error that is written over and over; silent where that is no terminal, but for a line now and then. */
export class ProgressLine {
  readonly #isOn: boolean;
  readonly #isTerminal = process.stderr.isTTY;
  readonly #startMs = performance.now();
  #shownMs = -Infinity;

  constructor(isOn = true) {
    this.#isOn = isOn;
  }

  /** `share`: how much is done, 0 to 1; unknown when absent. */
  show(text: string, share?: number): void {
    const nowMs = performance.now();
    if (!this.#isOn || nowMs - this.#shownMs < (this.#isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    this.#shownMs = nowMs;
    const line = share === undefined ? text : `${bar(share)} ${text}${this.#remaining(share, nowMs)}`;
    process.stderr.write(this.#isTerminal ? `\r\u001b[2K${line}` : `${line}\n`);
  }

  clear(): void {
    if (this.#isOn && this.#isTerminal) process.stderr.write('\r\u001b[2K');
  }

  #remaining(share: number, nowMs: number): string {
    if (share <= 0.01) return '';
    const seconds = ((nowMs - this.#startMs) / 1000) * (1 / share - 1);
    return `, ${seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`} left`;
  }
}

const TERMINAL_INTERVAL_MS = 100;
const LOG_INTERVAL_MS = 10_000;
const BAR_WIDTH = 24;

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${(share * 100).toFixed(0).padStart(3)}%`;
}

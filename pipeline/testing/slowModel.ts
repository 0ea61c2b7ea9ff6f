import { vi } from 'vitest';
import { Scorer } from '../../models/scorer.ts';
import type { ManualTime } from './manualTime.ts';

/** Makes every model take its time: each call waits `delayMs` of the test's time, and is then made. */
export class SlowModel {
  delayMs = 0;
  /** How many payments each call scored. */
  readonly calls: number[] = [];
  readonly #restore: () => void;

  constructor(time: ManualTime) {
    const original = Reflect.get(Scorer.prototype, 'probabilities');
    const slow = async (scorer: Scorer, features: Float32Array, rows: number): Promise<Float32Array> => {
      this.calls.push(rows);
      if (this.delayMs > 0) await time.after(this.delayMs);
      return time.work(original.call(scorer, features, rows));
    };
    const spy = vi.spyOn(Scorer.prototype, 'probabilities').mockImplementation(function (this: Scorer, features, rows) {
      return slow(this, features, rows);
    });
    this.#restore = () => {
      spy.mockRestore();
    };
  }

  /** Models are as fast as they are again. */
  restore(): void {
    this.#restore();
  }
}

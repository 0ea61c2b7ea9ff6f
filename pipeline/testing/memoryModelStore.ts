import { createHash } from 'node:crypto';
import type { ModelStore } from '../ports.ts';

/** Model files in memory, for tests. */
export class MemoryModelStore implements ModelStore {
  readonly #models = new Map<string, Uint8Array>();

  put(sha256: string, model: Uint8Array): Promise<void> {
    if (createHash('sha256').update(model).digest('hex') !== sha256)
      return Promise.reject(new Error(`SLUICE_MODEL_HASH: the model's content does not have the SHA-256 ${sha256}`));
    this.#models.set(sha256, Uint8Array.from(model));
    return Promise.resolve();
  }

  get(sha256: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#models.get(sha256));
  }
}

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ModelStore } from '../ports.ts';

const model = Buffer.from('the bytes of a model');
const sha256 = createHash('sha256').update(model).digest('hex');

/** What every model store promises (pipeline/ports.ts). `withStore` gives an empty one and cleans up afterwards. */
export function describeModelStore(
  name: string,
  withStore: (test: (store: ModelStore) => Promise<void>) => Promise<void>,
): void {
  describe(`${name} as a model store`, () => {
    it('gives back the very bytes, and nothing for a hash it does not know', async () => {
      await withStore(async (store) => {
        expect(await store.get(sha256)).toBeUndefined();
        await store.put(sha256, model);
        expect(Buffer.from((await store.get(sha256)) ?? []).equals(model)).toBe(true);
        expect(await store.get('0'.repeat(64))).toBeUndefined();
      });
    });

    it('takes the same model twice', async () => {
      await withStore(async (store) => {
        await Promise.all([store.put(sha256, model), store.put(sha256, model)]);
        await store.put(sha256, model);
        expect(Buffer.from((await store.get(sha256)) ?? []).equals(model)).toBe(true);
      });
    });

    it('refuses a model under a hash that is not its own', async () => {
      await withStore(async (store) => {
        await expect(store.put('0'.repeat(64), model)).rejects.toThrow('SLUICE_MODEL_HASH');
      });
    });
  });
}

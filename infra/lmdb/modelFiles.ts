import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelStore } from '../../pipeline/ports.ts';

/** Model files in one folder, each named by the SHA-256 of its content. */
export class ModelFiles implements ModelStore {
  readonly #folder: string;

  constructor(folder: string, readOnly: boolean) {
    this.#folder = folder;
    if (!readOnly) mkdirSync(folder, { recursive: true });
  }

  async put(sha256: string, model: Uint8Array): Promise<void> {
    if (hashOf(model) !== sha256)
      throw new Error(`SLUICE_MODEL_HASH: the model's content does not have the SHA-256 ${sha256}`);
    if ((await this.get(sha256)) !== undefined) return;
    const path = this.#path(sha256);
    const temporaryPath = `${path}.${randomUUID()}.tmp`;
    try {
      const file = await open(temporaryPath, 'wx');
      try {
        await file.writeFile(model);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporaryPath, path);
    } finally {
      await rm(temporaryPath, { force: true });
    }
    await syncFolder(this.#folder);
  }

  /** Undefined also for a damaged file: the caller then fetches the model anew. */
  async get(sha256: string): Promise<Uint8Array | undefined> {
    try {
      const model = await readFile(this.#path(sha256));
      return hashOf(model) === sha256 ? model : undefined;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError('a model is named by 64 hexadecimal digits');
    return join(this.#folder, `${sha256}.onnx`);
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

// Makes the new name durable. Windows cannot open a folder, and needs no such thing.
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

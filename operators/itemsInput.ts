import type { StateInput } from './savedState.ts';

/** Saved state as items that are given out one by one, each as what it is. */
export abstract class ItemsInput implements StateInput {
  abstract file(): string;

  /** The next item; SavedStateError when it is not what is wanted. */
  protected abstract next<T>(isWanted: (item: unknown) => item is T): T;

  number(): number {
    return this.next((item) => typeof item === 'number');
  }

  text(): string {
    return this.next((item) => typeof item === 'string');
  }

  float64Array(): Float64Array {
    return this.next((item) => item instanceof Float64Array);
  }

  int32Array(): Int32Array {
    return this.next((item) => item instanceof Int32Array);
  }

  uint32Array(): Uint32Array {
    return this.next((item) => item instanceof Uint32Array);
  }

  uint16Array(): Uint16Array {
    return this.next((item) => item instanceof Uint16Array);
  }

  uint8Array(): Uint8Array {
    return this.next((item) => item instanceof Uint8Array);
  }

  memory(): WebAssembly.Memory {
    return this.next((item) => item instanceof WebAssembly.Memory);
  }
}

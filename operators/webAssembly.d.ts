/** What Sluice uses of WebAssembly, which neither the ES libraries nor Node's types declare. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number; readonly shared: true });
    /** Shorter than the memory once that has grown. */
    readonly buffer: SharedArrayBuffer;
  }
  class Table {
    constructor(descriptor: { readonly element: 'anyfunc'; readonly initial: number });
    /** A function that an instance exports. */
    set(index: number, value: unknown): void;
  }
  class Module {
    readonly [Symbol.toStringTag]: string;
    constructor(bytes: Uint8Array);
  }
  class Instance<Exports> {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Exports;
  }
}

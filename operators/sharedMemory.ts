const PAGE_BYTES = 65_536;
/** What 32-bit addresses reach. Only addresses are reserved for it; memory is taken as it grows. */
const MAX_PAGES = 65_536;

/** A memory of at least so many bytes, which grows in place, and which threads hand to one another without copying it. */
export function createSharedMemory(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES), maximum: MAX_PAGES, shared: true });
}

import { BEGIN, END } from './layout';

const PAGE_SHIFT: u32 = 16;
const PAGE_BYTES: u64 = 65536;
/** Pages that are added at once, at least; and as a share of those there are. */
const LEAST_PAGES: u32 = 4;
const GROWTH_SHIFT: u32 = 4;
const LINE_BYTES: u64 = 64;
const MAX_BYTES: u64 = 65536 * 65536 - 65536;

/** Tells the host that its views are too short. */
declare function grown(): void;

export function begin(): void {
  store<u32>(END, BEGIN);
}

/** So many zero bytes for the host. */
export function allocateBytes(bytes: u32): u32 {
  return allocate(bytes, 0);
}

/** So many zero bytes at the beginning of a cache line, of which `left` must be left after them; 0: there is no room. */
export function allocate(bytes: u64, left: u64): u32 {
  const start: u64 = (<u64>load<u32>(END) + LINE_BYTES - 1) & ~(LINE_BYTES - 1);
  const end: u64 = start + bytes;
  if (end + left > MAX_BYTES) return 0;
  const pages = <u32>memory.size();
  const wanted = <u32>((end + PAGE_BYTES - 1) >> PAGE_SHIFT);
  if (wanted > pages) {
    let added = max<u32>(wanted - pages, max<u32>(LEAST_PAGES, pages >>> GROWTH_SHIFT));
    if (memory.grow(added) < 0) {
      added = wanted - pages;
      if (memory.grow(added) < 0) return 0;
    }
    grown();
  }
  store<u32>(END, <u32>end);
  return <u32>start;
}

// A block (eventBlock.ts): its events, their capacity, the next block of the head (0: none); then its columns.
export const COUNT: u32 = 0;
const CAPACITY: u32 = 4;
export const NEXT: u32 = 8;
const BLOCK_HEAD: u32 = 64;
const HIGH: f64 = 4294967296;

/** Of an event: bytes of its words. */
let wordBytes: u32 = 0;

export function beginBlocks(bytes: u32): void {
  wordBytes = bytes;
}

export function wordsOf(block: u32, index: u32): u32 {
  return block + BLOCK_HEAD + index * wordBytes;
}

/** Where the block's columns of times and the others begin. */
function timesOf(block: u32): u32 {
  return block + BLOCK_HEAD + load<u32>(block, CAPACITY) * wordBytes;
}

export function timeOf(block: u32, index: u32): f64 {
  const times = timesOf(block);
  const high = load<u16>(times + (load<u32>(block, CAPACITY) << 3) + (index << 1));
  return <f64>high * HIGH + <f64>load<u32>(times + (index << 2));
}

export function amountOf(block: u32, index: u32): f64 {
  const capacity = load<u32>(block, CAPACITY);
  const times = timesOf(block);
  const high = load<u8>(times + capacity * 10 + index);
  return <f64>high * HIGH + <f64>load<u32>(times + ((capacity + index) << 2));
}

export function factsOf(block: u32, index: u32): i32 {
  return <i32>load<u8>(timesOf(block) + load<u32>(block, CAPACITY) * 11 + index);
}

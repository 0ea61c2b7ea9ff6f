// Where in the memory of one column's kernel things lie, in bytes. columnKernel.ts has the same numbers.

/** First byte that is free; all behind it is zero. */
export const END: u32 = 8;
export const ROW_BYTES: u32 = 12;
/** Address of the addresses of the row segments. */
export const ROW_SEGMENTS: u32 = 16;
export const SLOT_COUNT: u32 = 20;
/** Slot freed last + 1, 0 for none. */
export const FREE_SLOT: u32 = 24;
export const MAX_KEYS: u32 = 28;
/** Candidates of one list at most. */
export const MAX_CANDIDATES: u32 = 32;
/** What is left of the chunk from which candidate blocks are taken: from, to. */
export const CHUNK_NEXT: u32 = 36;
export const CHUNK_END: u32 = 40;
/** Bytes of the chunks. */
export const CHUNK_BYTES: u32 = 44;
/** Two doubles. */
export const LIVE_CANDIDATES: u32 = 48;
export const DROPPED_CANDIDATES: u32 = 56;
/** By class, the candidate block freed last. */
export const FREE_BLOCKS: u32 = 64;
/** Bytes of all chunks: a double. */
export const CANDIDATE_BYTES: u32 = 128;
/** Address of the table of keys. */
export const KEYS: u32 = 136;
/** What the host hands in and out, until the next call: bits of the predicates that hold, */
export const HOLDS: u32 = 1024;
/** the slots of the values whose pairs are counted, */
export const VALUES: u32 = 2048;
/** addresses that are about to be used, */
export const AHEAD: u32 = 6144;
export const MAX_AHEAD: u32 = 512;
/** and features that were read; */
export const FEATURES: u32 = 8192;
/** the key that is looked up. */
export const KEY: u32 = 16384;
/** Behind it come programs and data. */
export const BEGIN: u32 = 17664;

/** Rows of a segment. */
export const ROWS_SHIFT: u32 = 10;
export const ROWS_MASK: u32 = 1023;

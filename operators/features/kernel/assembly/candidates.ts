import {
  CANDIDATE_BYTES,
  CHUNK_BYTES,
  CHUNK_END,
  CHUNK_NEXT,
  DROPPED_CANDIDATES,
  FREE_BLOCKS,
  LIVE_CANDIDATES,
  MAX_CANDIDATES,
} from './layout';
import { allocate } from './memory';

// A list is in a row: 8 bytes, its block and its span, all 0 for an empty list; then room for so many nodes, which may be none.
/** The block's address, a multiple of 64, and its class in the low bits. 0: the nodes are in the row. */
const CLASS_MASK: u32 = 15;
/** In the span: how many nodes the block has before the list's first, and from bit 0 the list's length. */
const SPAN: u32 = 4;
const LENGTH_BITS: u32 = 16;
const LENGTH_MASK: u32 = 65535;
const NODES: u32 = 8;

// A node.
const VALUE: u32 = 0;
const TIME: u32 = 8;
const NODE_SHIFT: u32 = 4;

/** Nodes of the least block, which is a cache line: as many as a row has room for (candidates.ts). */
const LEAST_SHIFT: u32 = 2;
const LEAST_CHUNK_BYTES: u32 = 32768;

export function beginCandidates(maxCandidates: u32): void {
  store<u32>(MAX_CANDIDATES, maxCandidates);
  store<u32>(CHUNK_BYTES, LEAST_CHUNK_BYTES);
}

export function liveCandidates(): f64 {
  return load<f64>(LIVE_CANDIDATES);
}

export function droppedCandidates(): f64 {
  return load<f64>(DROPPED_CANDIDATES);
}

export function candidateBytes(): f64 {
  return load<f64>(CANDIDATE_BYTES);
}

export function lengthOf(list: u32): u32 {
  return load<u32>(list, SPAN) & LENGTH_MASK;
}

/** Address of the oldest event's node; 0 if the list is empty. */
export function oldestOf(list: u32): u32 {
  return lengthOf(list) == 0 ? 0 : firstOf(list);
}

/** Where the list's first node is, or will be. */
function firstOf(list: u32): u32 {
  return nodesAt(list) + ((load<u32>(list, SPAN) >>> LENGTH_BITS) << NODE_SHIFT);
}

function nodesAt(list: u32): u32 {
  const block = load<u32>(list);
  return block == 0 ? list + NODES : block & ~CLASS_MASK;
}

/** Adds a value to a pruned list (monotonic deque) with room for so many nodes in its row; `sign` 1 keeps greatest values, -1 least. */
export function addPruned(list: u32, room: u32, sign: i32, timeMs: f64, value: f64): void {
  const length = lengthOf(list);
  if (length == 0) {
    insert(list, room, 0, timeMs, value);
    return;
  }
  const factor = <f64>sign;
  const signed = factor * value;
  const first = firstOf(list);
  const place = countUpTo(first, length, timeMs);
  // Beaten by one that leaves later: it can never be the answer.
  if (place < length && factor * load<f64>(first + (place << NODE_SHIFT)) >= signed) return;
  let kept = place;
  while (kept > 0 && factor * load<f64>(first + ((kept - 1) << NODE_SHIFT)) <= signed) kept--;
  if (kept == place) {
    insert(list, room, place, timeMs, value);
    return;
  }
  // It takes the place of the first that it beats.
  write(first + (kept << NODE_SHIFT), timeMs, value);
  const beaten = place - kept - 1;
  if (beaten == 0) return;
  move(first, place, kept + 1, length);
  shorten(list, room, load<u32>(list, SPAN) >>> LENGTH_BITS, length - beaten);
}

/** Adds a value to a whole list, which has no room in its row. */
export function addWhole(list: u32, timeMs: f64, value: f64): void {
  insert(list, 0, countUpTo(firstOf(list), lengthOf(list), timeMs), timeMs, value);
}

/** Takes one event with this time and value out of a whole list; events alike are interchangeable. */
export function removeWhole(list: u32, timeMs: f64, value: f64): void {
  const length = lengthOf(list);
  const first = firstOf(list);
  for (let place = <i32>countUpTo(first, length, timeMs) - 1; place >= 0; place--) {
    const node = first + ((<u32>place) << NODE_SHIFT);
    if (load<f64>(node, TIME) != timeMs) return;
    if (load<f64>(node, VALUE) != value) continue;
    move(first, place + 1, place, length);
    shorten(list, 0, load<u32>(list, SPAN) >>> LENGTH_BITS, length - 1);
    return;
  }
}

/** Drops what has left the longest window: events at or before this time. */
export function expire(list: u32, room: u32, boundaryMs: f64): void {
  const length = lengthOf(list);
  if (length == 0) return;
  const first = firstOf(list);
  let expired: u32 = 0;
  while (expired < length && load<f64>(first + (expired << NODE_SHIFT), TIME) <= boundaryMs) expired++;
  if (expired > 0) shorten(list, room, (load<u32>(list, SPAN) >>> LENGTH_BITS) + expired, length - expired);
}

export function clearList(list: u32): void {
  if (lengthOf(list) > 0) shorten(list, 0, 0, 0);
}

/** The first node from this one on that is later than the boundary, 0 if there is none up to `newest`. */
export function prunedExtreme(node: u32, newest: u32, boundaryMs: f64): u32 {
  if (node == 0) return 0;
  let extreme = node;
  while (load<f64>(extreme, TIME) <= boundaryMs) {
    if (extreme == newest) return 0;
    extreme += 1 << NODE_SHIFT;
  }
  return extreme;
}

/** The newest event's node; 0 if the list is empty. */
export function newestOf(list: u32): u32 {
  const length = lengthOf(list);
  return length == 0 ? 0 : firstOf(list) + ((length - 1) << NODE_SHIFT);
}

/** The same if it is later than the boundary, else 0. */
export function newestAfter(list: u32, boundaryMs: f64): u32 {
  const node = newestOf(list);
  return node != 0 && load<f64>(node, TIME) > boundaryMs ? node : 0;
}

/** The node of the greatest (sign 1) or least (sign -1) value of a whole list that is later than the boundary; 0: there is none. */
export function wholeExtreme(list: u32, sign: i32, boundaryMs: f64): u32 {
  const first = firstOf(list);
  const factor = <f64>sign;
  let best: u32 = 0;
  let bestValue: f64 = 0;
  for (let place = <i32>lengthOf(list) - 1; place >= 0; place--) {
    const node = first + ((<u32>place) << NODE_SHIFT);
    if (load<f64>(node, TIME) <= boundaryMs) break;
    const value = factor * load<f64>(node, VALUE);
    if (best != 0 && value <= bestValue) continue;
    best = node;
    bestValue = value;
  }
  return best;
}

export function valueOf(node: u32): f64 {
  return load<f64>(node, VALUE);
}

export function timeOf(node: u32): f64 {
  return load<f64>(node, TIME);
}

/** How many of the list's events are at or before this time. */
function countUpTo(first: u32, length: u32, timeMs: f64): u32 {
  let count = length;
  while (count > 0 && load<f64>(first + ((count - 1) << NODE_SHIFT), TIME) > timeMs) count--;
  return count;
}

/** Puts the event behind the list's first `before` ones; in a full list, or where memory ends, the newest makes way. */
function insert(list: u32, room: u32, before: u32, timeMs: f64, value: f64): void {
  let length = lengthOf(list);
  let place = before;
  if (length >= load<u32>(MAX_CANDIDATES) || !makeRoom(list, room, length)) {
    store<f64>(DROPPED_CANDIDATES, load<f64>(DROPPED_CANDIDATES) + 1);
    if (length == 0) return;
    length--;
    store<u32>(list, load<u32>(list, SPAN) - 1, SPAN);
    store<f64>(LIVE_CANDIDATES, load<f64>(LIVE_CANDIDATES) - 1);
    if (place > length) place = length;
    // A list that is full in the middle of its block moves on like any other.
    makeRoom(list, room, length);
  }
  const first = firstOf(list);
  if (place < length) move(first, place, place + 1, length);
  write(first + (place << NODE_SHIFT), timeMs, value);
  store<u32>(list, load<u32>(list, SPAN) + 1, SPAN);
  store<f64>(LIVE_CANDIDATES, load<f64>(LIVE_CANDIDATES) + 1);
}

function write(node: u32, timeMs: f64, value: f64): void {
  store<f64>(node, value, VALUE);
  store<f64>(node, timeMs, TIME);
}

/** Moves the nodes from place `from` up to `end` of a list, whose first is at `first`, so that they begin at place `to`. */
function move(first: u32, from: u32, to: u32, end: u32): void {
  memory.copy(first + (to << NODE_SHIFT), first + (from << NODE_SHIFT), (end - from) << NODE_SHIFT);
}

/** Sees to it that there is a place behind the list's last. False: there is no memory. */
function makeRoom(list: u32, room: u32, length: u32): bool {
  const block = load<u32>(list);
  const capacity = block == 0 ? room : nodesOf(block & CLASS_MASK);
  const head = load<u32>(list, SPAN) >>> LENGTH_BITS;
  if (head + length < capacity) return true;
  if (block == 0) {
    if (head == 0) return replace(list, leastClass(room), length);
  } else if (head * 2 < capacity) {
    return replace(list, (block & CLASS_MASK) + 1, length);
  }
  // In a block at least half is free before the list: as many have left as are now moved.
  const first = firstOf(list);
  memory.copy(nodesAt(list), first, length << NODE_SHIFT);
  store<u32>(list, length, SPAN);
  return true;
}

/** Of the blocks of a list that has so much room in its row. */
function leastClass(room: u32): u32 {
  return room == 0 ? 0 : 1;
}

/** Sets head and length after events have left the list. Of a block of which little is used, the list moves to a lesser one or back to the row. */
function shorten(list: u32, room: u32, head: u32, length: u32): void {
  store<f64>(LIVE_CANDIDATES, load<f64>(LIVE_CANDIDATES) - <f64>(lengthOf(list) - length));
  const block = load<u32>(list);
  if (length == 0) {
    if (block != 0) releaseBlock(block);
    store<u64>(list, 0);
    return;
  }
  store<u32>(list, (head << LENGTH_BITS) | length, SPAN);
  if (block == 0) return;
  const blockClass = block & CLASS_MASK;
  if (length << 1 <= room) {
    const first = firstOf(list);
    store<u32>(list, 0);
    memory.copy(nodesAt(list), first, length << NODE_SHIFT);
    store<u32>(list, length, SPAN);
    releaseBlock(block);
  } else if (blockClass > leastClass(room) && length << 3 <= nodesOf(blockClass)) replace(list, blockClass - 1, length);
}

/** Moves the list to a block of another class. False: there is none. */
function replace(list: u32, blockClass: u32, length: u32): bool {
  const block = allocateBlock(blockClass);
  if (block == 0) return false;
  const old = load<u32>(list);
  memory.copy(block & ~CLASS_MASK, firstOf(list), length << NODE_SHIFT);
  store<u32>(list, block);
  store<u32>(list, length, SPAN);
  if (old != 0) releaseBlock(old);
  return true;
}

function nodesOf(blockClass: u32): u32 {
  return ((<u32>1) << LEAST_SHIFT) << blockClass;
}

/** What is given back is given out again for its class, the last one first. 0: there is no memory. */
function allocateBlock(blockClass: u32): u32 {
  const freed = load<u32>(FREE_BLOCKS + (blockClass << 2));
  if (freed != 0) {
    store<u32>(FREE_BLOCKS + (blockClass << 2), load<u32>(freed & ~CLASS_MASK));
    return freed;
  }
  const bytes = nodesOf(blockClass) << NODE_SHIFT;
  if (load<u32>(CHUNK_NEXT) + bytes > load<u32>(CHUNK_END)) {
    const chunkBytes = max<u32>(load<u32>(CHUNK_BYTES), bytes);
    const chunk = allocate(chunkBytes, 0);
    if (chunk == 0) return 0;
    store<f64>(CANDIDATE_BYTES, load<f64>(CANDIDATE_BYTES) + <f64>chunkBytes);
    releaseRest();
    store<u32>(CHUNK_NEXT, chunk);
    store<u32>(CHUNK_END, chunk + chunkBytes);
  }
  const block = load<u32>(CHUNK_NEXT);
  store<u32>(CHUNK_NEXT, block + bytes);
  return block | blockClass;
}

/** What is left of a chunk becomes shorter blocks. */
function releaseRest(): void {
  while (load<u32>(CHUNK_NEXT) < load<u32>(CHUNK_END)) {
    const left = (load<u32>(CHUNK_END) - load<u32>(CHUNK_NEXT)) >>> (LEAST_SHIFT + NODE_SHIFT);
    const blockClass = 31 - clz<u32>(left);
    releaseBlock(load<u32>(CHUNK_NEXT) | blockClass);
    store<u32>(CHUNK_NEXT, load<u32>(CHUNK_NEXT) + (nodesOf(blockClass) << NODE_SHIFT));
  }
}

function releaseBlock(block: u32): void {
  store<u32>(block & ~CLASS_MASK, load<u32>(FREE_BLOCKS + ((block & CLASS_MASK) << 2)));
  store<u32>(FREE_BLOCKS + ((block & CLASS_MASK) << 2), block);
}

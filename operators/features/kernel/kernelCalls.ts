/** What the kernel exports (assembly/index.ts). Addresses come as 32-bit integers, so those beyond 2 GiB are negative. */
export interface KernelCalls {
  begin(): void;
  beginRows(rowBytes: number, maxKeys: number): void;
  beginCandidates(maxCandidates: number): void;
  allocateBytes(bytes: number): number;
  /** A slot; -1: there is no room. */
  allocateRow(): number;
  freeRow(slot: number): void;
  createPairs(windows: number, maxValues: number, tableNumber: number): number;
  countPair(table: number, key: number, value: number, sign: number, window: number, field: number): void;
  runPairs(table: number, step: number, end: number, key: number, value: number, row: number, holds: number): void;
  /** 0: there is no room. */
  setPair(table: number, key: number, value: number, window: number, events: number): number;
  addUncounted(table: number): void;
  uncountedOf(table: number): number;
  pairsOf(table: number): number;
  pairBytesOf(table: number): number;
  addPruned(list: number, sign: number, timeMs: number, value: number): void;
  addWhole(list: number, timeMs: number, value: number): void;
  removeWhole(list: number, timeMs: number, value: number): void;
  expire(list: number, boundaryMs: number): void;
  clearList(list: number): void;
  oldestOf(list: number): number;
  newestOf(list: number): number;
  newestAfter(list: number, boundaryMs: number): number;
  prunedExtreme(node: number, newest: number, boundaryMs: number): number;
  wholeExtreme(list: number, sign: number, boundaryMs: number): number;
  liveCandidates(): number;
  droppedCandidates(): number;
  candidateBytes(): number;
  cross(program: number, slot: number, timeMs: number, amountMinor: number, engineTimeMs: number): void;
  correctSums(slot: number, sign: number, countAt: number, sumAt: number, squaresAt: number, amountMinor: number): void;
  read(program: number, slot: number, engineTimeMs: number, amountMinor: number): void;
  note(program: number, slot: number): void;
  touch(): void;
  touchLists(program: number, slot: number): void;
  setHolds(word: number, bits: number): void;
  setValue(index: number, slot: number): void;
  beginDriver(columns: number, words: number): void;
  driverSlots(): number;
  driverWords(): number;
  crossEdge(program: number, facts: number, timeMs: number, amountMinor: number, engineTimeMs: number): void;
  noteEdge(program: number): void;
  touchRows(program: number): void;
  touchCandidates(program: number): void;
  readColumns(program: number, engineTimeMs: number, amountMinor: number): void;
}

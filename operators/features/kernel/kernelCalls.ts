/** What the kernel exports (assembly/index.ts). Addresses come as 32-bit integers, so those beyond 2 GiB are negative. */
export interface KernelCalls {
  readonly begin: () => void;
  readonly beginRows: (rowBytes: number, maxKeys: number) => void;
  readonly beginCandidates: (maxCandidates: number) => void;
  readonly allocateBytes: (bytes: number) => number;
  /** A slot; -1: there is no room. */
  readonly allocateRow: () => number;
  readonly freeRow: (slot: number) => void;
  readonly beginKeys: () => void;
  readonly hashKey: () => void;
  readonly touchKey: () => void;
  readonly foreseeKey: () => number;
  readonly internKey: () => number;
  readonly setKeyWord: (index: number, word: number) => void;
  /** 0: the slot has no key. */
  readonly recordOf: (slot: number) => number;
  /** 0: the slot had no key. */
  readonly releaseKey: (slot: number) => number;
  readonly liveKeys: () => number;
  readonly indexBytes: () => number;
  readonly recordBytes: () => number;
  readonly createPairs: (windows: number, maxValues: number, tableNumber: number) => number;
  readonly countPair: (table: number, key: number, value: number, sign: number, window: number, field: number) => void;
  /** 0: there is no room. */
  readonly setPair: (table: number, key: number, value: number, window: number, events: number) => number;
  readonly addUncounted: (table: number) => void;
  readonly uncountedOf: (table: number) => number;
  readonly pairsOf: (table: number) => number;
  readonly pairBytesOf: (table: number) => number;
  readonly addPruned: (list: number, room: number, sign: number, timeMs: number, value: number) => void;
  readonly addWhole: (list: number, timeMs: number, value: number) => void;
  readonly removeWhole: (list: number, timeMs: number, value: number) => void;
  readonly expire: (list: number, room: number, boundaryMs: number) => void;
  readonly clearList: (list: number) => void;
  readonly oldestOf: (list: number) => number;
  readonly newestOf: (list: number) => number;
  readonly newestAfter: (list: number, boundaryMs: number) => number;
  readonly prunedExtreme: (node: number, newest: number, boundaryMs: number) => number;
  readonly wholeExtreme: (list: number, sign: number, boundaryMs: number) => number;
  readonly liveCandidates: () => number;
  readonly droppedCandidates: () => number;
  readonly candidateBytes: () => number;
  readonly cross: (
    program: number,
    slot: number,
    bits: number,
    firstValue: number,
    timeMs: number,
    amountMinor: number,
    engineTimeMs: number,
    ...lanes: readonly [number, number, number, number, number]
  ) => void;
  readonly correctSums: (
    slot: number,
    sign: number,
    countAt: number,
    sumAt: number,
    squaresAt: number,
    amountMinor: number,
  ) => void;
  readonly read: (program: number, slot: number, engineTimeMs: number, amountMinor: number) => void;
  readonly note: (program: number, slot: number, firstValue: number) => void;
  readonly touch: () => void;
  readonly touchLists: (program: number, slot: number) => void;
  readonly setHolds: (word: number, bits: number) => void;
  readonly setValue: (index: number, slot: number) => void;
  readonly hold: (slot: number) => void;
  readonly letGo: (program: number, slot: number) => void;
  readonly releaseUnused: (program: number, slot: number) => void;
  readonly beginDriver: (columns: number, eventWords: number, edges: number) => void;
  readonly driverSlots: () => number;
  readonly driverGiven: () => number;
  readonly driverWords: () => number;
  readonly driverCursors: () => number;
  readonly driverEvent: () => number;
  readonly setPrograms: (edges: number, columns: number) => void;
  readonly advance: (crossings: number, least: number) => void;
  readonly crossHanded: (program: number, facts: number) => void;
  readonly letGoHanded: (step: number) => void;
  readonly insertEvent: (block: number, index: number) => void;
  readonly releaseUnusedKeys: () => void;
  readonly foreseeKeys: (program: number, rowsProgram: number, timeMs: number) => void;
  readonly findKeys: (program: number, rowsProgram: number) => number;
  readonly readColumns: (program: number, engineTimeMs: number, amountMinor: number) => void;
}

// What the host calls (columnKernel.ts). A key is named by its slot; an address is in bytes.
export { allocateBytes, begin } from './memory';
export { allocateRow, beginRows, freeRow } from './rows';
export {
  beginKeys,
  foreseeKey,
  hashKey,
  indexBytes,
  internKey,
  liveKeys,
  recordBytes,
  recordOf,
  releaseKey,
  setKeyWord,
  touchKey,
} from './keys';
export { addUncounted, countPair, createPairs, pairBytesOf, pairsOf, setPair, uncountedOf } from './pairs';
export {
  addPruned,
  addWhole,
  beginCandidates,
  candidateBytes,
  clearList,
  droppedCandidates,
  expire,
  liveCandidates,
  newestAfter,
  newestOf,
  oldestOf,
  prunedExtreme,
  removeWhole,
  wholeExtreme,
} from './candidates';
export { correctSums, cross, setHolds, setValue } from './crossing';
export { beginDriver, driverGiven, driverSlots, findKeys, foreseeKeys, readColumns } from './driver';
export {
  advance,
  crossHanded,
  driverCursors,
  driverEvent,
  driverWords,
  insertEvent,
  letGoHanded,
  releaseUnusedKeys,
  setPrograms,
} from './edges';
export { hold, letGo, releaseUnused } from './held';
export { note, touch, touchedSum, touchLists } from './ahead';
export { read } from './reads';

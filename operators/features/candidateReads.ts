import { byteOffset, type ProgramWords } from './kernel/programWords.ts';
import type { CandidatePart } from './plan.ts';
import type { FeatureRead } from './windowReads.ts';

/** Adds the steps for the features that are read from lists of candidates: of each list its windows, the longest first. Returns how many lists. */
export function addCandidateSteps(program: ProgramWords, reads: readonly FeatureRead[]): number {
  const lists = new Map<CandidatePart, { readonly place: number; readonly leaveAgeMs: number }[]>();
  for (const { place, read } of reads) {
    if (read.kind !== 'extreme' && read.kind !== 'newestCandidate') continue;
    const windows = lists.get(read.part) ?? [];
    windows.push({ place, leaveAgeMs: read.leaveAgeMs });
    lists.set(read.part, windows);
  }
  for (const [{ at, sign, isWhole, leaveAgeMs, room }, windows] of lists) {
    program.add(byteOffset(at), sign, Number(isWhole), windows.length);
    program.addDouble(leaveAgeMs);
    program.add(room, 0);
    for (const window of windows.sort((a, b) => b.leaveAgeMs - a.leaveAgeMs)) {
      program.add(window.place, 0);
      program.addDouble(window.leaveAgeMs);
    }
  }
  return lists.size;
}

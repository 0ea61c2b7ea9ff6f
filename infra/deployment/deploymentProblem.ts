import { basename } from 'node:path';

/** One fault in a deployment folder. `file` is relative to the folder; line and column count from 1. */
export interface DeploymentProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Stable code, e.g. SLUICE_CONFIG_VALUE. */
  readonly code: string;
  readonly message: string;
}

/** Told as a problem of the folder itself. */
export function missingFolder(folder: string): DeploymentProblem {
  const message = `there is no folder ${folder}`;
  return { file: basename(folder), line: 1, column: 1, code: 'SLUICE_CONFIG_MISSING', message };
}

/** In the order in which a reader goes through the folder, each once. */
export function sortProblems(problems: readonly DeploymentProblem[]): readonly DeploymentProblem[] {
  const unique = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...unique.values()].sort(
    (a, b) =>
      compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.message, b.message),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

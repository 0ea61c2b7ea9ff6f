/** One fault in a deployment folder. `file` is relative to the folder; line and column count from 1. */
export interface DeploymentProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Stable code, e.g. SLUICE_CONFIG_VALUE. */
  readonly code: string;
  readonly message: string;
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

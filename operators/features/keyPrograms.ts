import { compileEdges, type EdgeProgram, type ProgramTargets } from './edgeProgram.ts';
import type { FeaturePlan } from './plan.ts';

/** What an edge does to the row of one of an event's keys, without its others. */
export interface KeyProgram {
  readonly column: number;
  readonly program: EdgeProgram;
}

/** By edge, the programs of the keys to which something happens there. */
export function compileKeyPrograms(targets: ProgramTargets): KeyProgram[][] {
  const { plan } = targets;
  const byColumn = plan.columns.map((_, column) => compileEdges({ ...targets, plan: planOf(plan, column) }));
  return plan.edgeAgesMs.map((_, edge) =>
    byColumn.flatMap((programs, column) => {
      const program = programs[edge]!;
      return program.columns.length === 0 ? [] : [{ column, program }];
    }),
  );
}

/** The plan with the parts of one column only. */
function planOf(plan: FeaturePlan, wanted: number): FeaturePlan {
  const isWanted = ({ column }: { readonly column: number }): boolean => column === wanted;
  return {
    ...plan,
    sums: plan.sums.filter(isWanted),
    netSums: plan.netSums.filter(isWanted),
    recencies: plan.recencies.filter(isWanted),
    candidates: plan.candidates.filter(isWanted),
    distincts: plan.distincts.filter(isWanted),
    shares: plan.shares.filter(isWanted),
    hours: plan.hours.filter(isWanted),
    newest: plan.newest.filter(isWanted),
  };
}

import { configurationSteps, parseConfiguration, type CompiledConfiguration } from '../operators/configuration.ts';
import type { ConfigurationProblem } from '../operators/definitions.ts';
import { exampleSteps } from '../operators/rules/ruleExamples.ts';
import { ruleSetCostProblems } from '../operators/rules/ruleSetCost.ts';
import { readModelMetadata, scoresCatalogue } from '../models/modelPackage.ts';
import type { KnownModel } from './engine/modelRoster.ts';
import type { Refusal } from './gateway.ts';
import type { LoopHolds } from './loopHolds.ts';

export type CheckedPublication =
  | { readonly ok: true; readonly configuration: CompiledConfiguration }
  | { readonly ok: false; readonly refusals: readonly [Refusal, ...Refusal[]] };

/** What a configuration that is to be published is held against. */
export interface PublicationGround {
  readonly inForce: CompiledConfiguration | null;
  /** That score, verdicts or beside them. */
  readonly models: readonly KnownModel[];
}

/** Whether a configuration may decide: it compiles, its rules' examples hold, and the model in force goes on scoring. */
export async function checkPublication(
  content: string,
  ground: PublicationGround,
  holds: LoopHolds,
): Promise<CheckedPublication> {
  const parsed = await holds.time(() => parseConfiguration(content));
  const compiled = parsed.ok ? await holds.inTurns(configurationSteps(parsed.value)) : parsed;
  if (!compiled.ok) return refused(compiled.problems);
  const configuration = compiled.value;
  const { catalogue, listNames, ruleSet } = configuration;
  const failed = await holds.inTurns(exampleSteps(ruleSet.rules, { features: catalogue.names, lists: listNames }));
  if (failed.length > 0) return refused(failed);
  const dear = ruleSetCostProblems(ruleSet);
  if (dear.length > 0) return refused(dear);
  const modelRefusal = modelRefusalOf(configuration, ground);
  return modelRefusal === null ? { ok: true, configuration } : { ok: false, refusals: [modelRefusal] };
}

function refused(problems: readonly ConfigurationProblem[]): CheckedPublication {
  const [first, ...others] = problems.map(({ code, section, path, message }): Refusal => {
    return { code, field: [section, ...path].join('.'), message };
  });
  const unknown = { code: 'SLUICE_CONFIGURATION_SHAPE', field: 'content', message: 'is not usable' };
  return { ok: false, refusals: [first ?? unknown, ...others] };
}

/** A model that scores goes on scoring: its features stay as they are, and first. */
function modelRefusalOf({ catalogue }: CompiledConfiguration, { inForce, models }: PublicationGround): Refusal | null {
  if (inForce === null || inForce.catalogue.sha256 === catalogue.sha256) return null;
  for (const { promotion } of models) {
    const model = readModelMetadata(promotion.metadata);
    if (!scoresCatalogue(model, inForce.catalogue) || scoresCatalogue(model, catalogue)) continue;
    const gone = model.inputs.find((name) => !catalogue.names.includes(name));
    const why =
      gone === undefined
        ? 'its features must stay as they are and come first'
        : `it reads the feature ${gone}, which would be gone`;
    const message = `the model ${model.id} ${model.version} could not score any more: ${why}`;
    return { code: 'SLUICE_MODEL_CATALOGUE', field: 'features', message };
  }
  return null;
}

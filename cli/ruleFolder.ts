import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadDeployment } from '../infra/deployment/loadDeployment.ts';
import { withVersion } from '../infra/deployment/editDeployment.ts';
import { rulesFile, withoutRule, withRule, withRuleFields, type RuleField } from '../infra/deployment/editRules.ts';
import { canonicalJson } from '../operators/canonicalJson.ts';
import type { ConfigurationDefinition, RuleDefinition } from '../operators/definitions.ts';
import { ruleChanges } from '../operators/rules/ruleChanges.ts';
import { FileReplacement, type NewText } from './fileReplacement.ts';

/** The file that rules go to which come back and have no file any more. */
const RESTORED = 'rules/restored.yaml';
const STANDING: readonly string[] = ['version', 'mode', 'rollout'] satisfies readonly RuleField[];

/**
 * Brings a deployment's folder up to what was published: the rules that the publication changed, and the rule set's version. Work
 * that is not published stays: a rule of which the folder has a draft of its own, and rules that the publication did not
 * change. Returns a line for the reader.
 */
export async function bringFolder(
  folder: string,
  before: ConfigurationDefinition,
  after: ConfigurationDefinition,
  isInForce: boolean,
): Promise<string> {
  const loaded = await loadDeployment(folder);
  if (!loaded.ok) return `${folder} has mistakes and is left as it is: see sluice check ${folder}.`;
  const texts = new FolderTexts(folder);
  const drafts: string[] = [];
  const inFolder = loaded.deployment.definition.rules;
  for (const change of ruleChanges(before.rules, after.rules)) {
    const find = (rules: readonly RuleDefinition[]): RuleDefinition | undefined =>
      rules.find(({ id }) => id === change.rule);
    if (!takeOver(texts, { ...change, was: find(before.rules), is: find(after.rules), held: find(inFolder) }))
      drafts.push(change.rule);
  }
  texts.edit('sluice.yaml', (text) => withVersion(text, after.ruleSetVersion));
  const kept = new FileReplacement(folder, texts.changed()).commit();
  if (kept.length > 0)
    return `${folder} was changed meanwhile; what is published is in ${kept.join(' and ')}: bring it over.`;
  if (drafts.length > 0)
    return `${folder} keeps its own draft of ${drafts.join(', ')}, which is not what was published: see sluice rules diff.`;
  const now = await loadDeployment(folder);
  const isSame = now.ok && now.deployment.configuration.canonicalJson === canonicalJson(after);
  if (isSame && !isInForce) return `${folder} says so too: a draft until it is approved.`;
  return isSame
    ? `${folder} says so too.`
    : `${folder} says so of these rules, and has other drafts: see sluice rules diff.`;
}

interface Takeover {
  readonly rule: string;
  readonly fields: readonly string[];
  readonly was: RuleDefinition | undefined;
  readonly is: RuleDefinition | undefined;
  /** In the folder. */
  readonly held: RuleDefinition | undefined;
}

/** False: the folder has a draft of its own, which stays. */
function takeOver(texts: FolderTexts, { rule: id, fields, was, is, held }: Takeover): boolean {
  if (is === undefined) {
    if (held === undefined) return true;
    return was !== undefined && isSame(held, was) && texts.editRule((text) => withoutRule(text, id));
  }
  if (held === undefined) {
    if (was !== undefined) return false;
    texts.restore(is);
    return true;
  }
  const differing = ruleChanges([held], [is])[0]?.fields ?? [];
  if (differing.length === 0) return true;
  const inPlace = [differing, fields].find(
    (each) => each.length > 0 && each.every((field) => STANDING.includes(field)),
  );
  if (inPlace !== undefined) {
    const standing = (['version', 'mode', 'rollout'] as const).filter((field) => inPlace.includes(field));
    return texts.editRule((text) => withRuleFields(text, is, standing)) && inPlace === differing;
  }
  return was !== undefined && isSame(held, was) && texts.editRule((text) => withRule(text, is));
}

function isSame(a: RuleDefinition, b: RuleDefinition): boolean {
  return ruleChanges([a], [b]).length === 0;
}

/** The texts of a folder's files, read when they are needed first, and what they become. */
class FolderTexts {
  readonly #folder: string;
  readonly #texts = new Map<string, { readonly before: string | null; after: string }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  edit(name: string, change: (text: string) => string | null): boolean {
    const text = this.#read(name);
    const after = change(text.after);
    if (after !== null) text.after = after;
    return after !== null;
  }

  /** Edits the rules file in which the change finds its rule. */
  editRule(change: (text: string) => string | null): boolean {
    const names = readdirSync(join(this.#folder, 'rules')).filter((name) => name.endsWith('.yaml'));
    return names.some((name) => this.edit(`rules/${name}`, change));
  }

  restore(rule: RuleDefinition): void {
    this.edit(RESTORED, (text) => {
      const item = rulesFile([rule]);
      return text === '' ? item : `${text.trimEnd()}\n${item.slice(item.indexOf('\n') + 1)}`;
    });
  }

  changed(): Record<string, NewText> {
    return Object.fromEntries([...this.#texts].filter(([, { before, after }]) => before !== after));
  }

  #read(name: string): { readonly before: string | null; after: string } {
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const path = join(this.#folder, name);
    const before = existsSync(path) ? readFileSync(path, 'utf8') : null;
    const text = { before, after: before ?? '' };
    this.#texts.set(name, text);
    return text;
  }
}

import { Document, isMap, isNode, isScalar, isSeq, parseDocument, type Node, type YAMLMap } from 'yaml';
import type { RuleDefinition } from '../../operators/definitions.ts';

/** The parts of a rule that say how it counts; in a file each is a line of its own that can be changed in its place. */
export type RuleField = 'version' | 'mode' | 'rollout';

/** The text of a rules file with these fields of a rule as given. Null: the file has no such rule. All else stays as it is. */
export function withRuleFields(yaml: string, rule: RuleDefinition, fields: readonly RuleField[]): string | null {
  let text = yaml;
  for (const field of fields) {
    const item = itemOf(text, rule.id);
    if (item === null) return null;
    text = withField(text, item, field, String(rule[field]));
  }
  return text;
}

/** The text of a rules file with a rule in the place of the one of its id; comments inside that one are lost. Null: it has none. */
export function withRule(yaml: string, rule: RuleDefinition): string | null {
  const item = itemOf(yaml, rule.id);
  const place = item === null ? null : placeOf(yaml, item);
  if (place === null) return null;
  return yaml.slice(0, place.from) + ruleText(rule, place.indent) + yaml.slice(place.to);
}

/** The text of a rules file without a rule. Null: it has none. */
export function withoutRule(yaml: string, id: string): string | null {
  const item = itemOf(yaml, id);
  const place = item === null ? null : placeOf(yaml, item);
  if (place === null) return null;
  const text = yaml.slice(0, place.from) + yaml.slice(place.to);
  return itemsOf(text).length > 0 ? text : text.replace(/^rules:[ \t]*$/m, 'rules: []');
}

/** The text of a rules file of its own for these rules. */
export function rulesFile(rules: readonly RuleDefinition[]): string {
  return `rules:\n${rules.map((rule) => ruleText(rule, 2)).join('\n')}`;
}

function itemsOf(yaml: string): readonly unknown[] {
  const document = parseDocument(yaml, { prettyErrors: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return [];
  const rules = document.contents.get('rules', true);
  return isSeq(rules) && rules.flow !== true ? rules.items : [];
}

function itemOf(yaml: string, id: string): YAMLMap | null {
  const item = itemsOf(yaml).find((each) => isMap(each) && each.get('id') === id);
  return isMap(item) ? item : null;
}

function withField(yaml: string, item: YAMLMap, field: RuleField, value: string): string {
  const held = item.get(field, true);
  const [from, to] = isNode(held) ? rangeOf(held) : [0, 0];
  if (to > 0) return yaml.slice(0, from) + value + yaml.slice(to);
  const id = item.items.find(({ key }) => isScalar(key) && key.value === 'id');
  const keyStart = isNode(id?.key) ? rangeOf(id.key)[0] : 0;
  const valueEnd = isNode(id?.value) ? rangeOf(id.value)[1] : 0;
  const column = keyStart - (yaml.lastIndexOf('\n', keyStart - 1) + 1);
  const addition = item.flow === true ? `, ${field}: ${value}` : `\n${' '.repeat(column)}${field}: ${value}`;
  return yaml.slice(0, valueEnd) + addition + yaml.slice(valueEnd);
}

interface Place {
  readonly from: number;
  readonly to: number;
  /** Columns before the dash. */
  readonly indent: number;
}

/** The lines of an item, from its dash on. */
function placeOf(yaml: string, item: YAMLMap): Place {
  const [start, end] = rangeOf(item);
  const from = yaml.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = yaml.indexOf('\n', end - 1);
  return { from, to: lineEnd < 0 ? yaml.length : lineEnd + 1, indent: yaml.slice(from).search(/\S/) };
}

function rangeOf(node: Node): readonly [from: number, to: number] {
  const { range } = node;
  return range === null || range === undefined ? [0, 0] : [range[0], range[1]];
}

/** Columns from the dash to the fields. */
const DASH = '- ';

function ruleText(rule: RuleDefinition, indent: number): string {
  const { id, version, owner, when, params, text, group, mode, rollout, examples } = rule;
  const { verdict, ...points } = rule.then;
  const then = verdict === 'approve' ? points : rule.then;
  const inGroup = group === undefined ? {} : { group };
  const ordered = { id, version, owner, when, params, then, text, ...inGroup, mode, rollout, examples };
  const lines = new Document(ordered).toString({ lineWidth: 120 }).trimEnd().split('\n');
  const margin = ' '.repeat(indent);
  return lines
    .map((line, index) => {
      if (line === '') return '\n';
      return `${margin}${index === 0 ? DASH : ' '.repeat(DASH.length)}${line}\n`;
    })
    .join('');
}

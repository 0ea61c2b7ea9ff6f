import { isMap, isNode, isSeq, LineCounter, parseDocument, Document, type YAMLSeq } from 'yaml';
import { closestName } from './closestName.ts';

/** A file of a deployment that cannot be changed as asked. */
export class DeploymentEditError extends Error {
  readonly code: 'SLUICE_EDIT_FILE' | 'SLUICE_EDIT_FEATURE';
  constructor(code: DeploymentEditError['code'], message: string) {
    super(message);
    this.name = 'DeploymentEditError';
    this.code = code;
  }
}

/**
 * The text of features.yaml with the features of another such text at its end. What was there stays as it is, comments
 * included; whether the features make sense is for loadDeployment to say. `file` is where those to be added come from.
 */
export function withFeatures(featuresYaml: string, addedYaml: string, file: string): string {
  const existing = featureList(featuresYaml, 'features.yaml');
  const added = featureList(addedYaml, file);
  const document = new Document({ features: null });
  document.set('features', added);
  const [, ...lines] = document.toString({ lineWidth: 0, indentSeq: true }).trimEnd().split('\n');
  const indent = ' '.repeat(indentOfItems(featuresYaml, existing));
  const block = lines.map((line) => (line === '' ? line : indent + line.slice(GENERATED_INDENT)));
  return `${featuresYaml.trimEnd()}\n${block.join('\n')}\n`;
}

/** The text of features.yaml without the feature of this name. */
export function withoutFeature(featuresYaml: string, name: string): string {
  const { items } = featureList(featuresYaml, 'features.yaml');
  const item = items.find((each) => isMap(each) && each.get('name') === name);
  const range = isNode(item) ? item.range : undefined;
  if (range === undefined || range === null)
    throw new DeploymentEditError('SLUICE_EDIT_FEATURE', `features.yaml has no feature ${name}${hintFor(name, items)}`);
  const from = featuresYaml.lastIndexOf('\n', range[0] - 1) + 1;
  const end = featuresYaml.indexOf('\n', range[1] - 1);
  return featuresYaml.slice(0, from) + (end < 0 ? '' : featuresYaml.slice(end + 1));
}

/** The name of the feature that this line of features.yaml, counted from 1, belongs to. */
export function featureNameAt(featuresYaml: string, line: number): string | null {
  const start = featuresYaml.split('\n', line).join('\n').length;
  const { items } = featureList(featuresYaml, 'features.yaml');
  const item = items.findLast((each) => isNode(each) && each.range !== null && (each.range?.[0] ?? start) < start);
  const name: unknown = isMap(item) ? item.get('name') : null;
  return typeof name === 'string' ? name : null;
}

/** The text of sluice.yaml with another rule-set version. */
export function withVersion(sluiceYaml: string, version: string): string {
  const line = /^(ruleSetVersion:\s*)(['"]?)([^\s'"#]+)\2/m.exec(sluiceYaml);
  const [whole, key = '', quote = ''] = line ?? [];
  if (whole === undefined)
    throw new DeploymentEditError('SLUICE_EDIT_FILE', 'sluice.yaml has no line with a ruleSetVersion');
  return sluiceYaml.replace(whole, () => `${key}${quote}${version}${quote}`);
}

const GENERATED_INDENT = 2;

function featureList(yaml: string, file: string): YAMLSeq {
  const lineCounter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line } = lineCounter.linePos(error.pos[0]);
    throw new DeploymentEditError('SLUICE_EDIT_FILE', `${file}:${line} this is not valid YAML here: ${error.message}`);
  }
  const features = isMap(document.contents) ? document.contents.get('features', true) : undefined;
  if (!isSeq(features) || features.flow === true) {
    throw new DeploymentEditError(
      'SLUICE_EDIT_FILE',
      `${file} must be YAML with a list under \`features:\`, one feature an item, as in config/default/features.yaml`,
    );
  }
  return features;
}

function hintFor(name: string, items: readonly unknown[]): string {
  const names = items.map((item) => (isMap(item) ? String(item.get('name')) : ''));
  const closest = closestName(name, names);
  return closest === undefined ? '; see sluice features list' : `; did you mean ${closest}?`;
}

/** Columns before the dash of an item. */
function indentOfItems(yaml: string, { items }: YAMLSeq): number {
  const [first] = items;
  const start = isNode(first) ? (first.range?.[0] ?? 0) : 0;
  const line = yaml.slice(yaml.lastIndexOf('\n', start - 1) + 1);
  return Math.max(0, line.search(/\S/));
}

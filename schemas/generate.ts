/**
 * Writes types.ts: the TypeScript type of every Avro schema in this folder, so that the schemas stay the one source.
 * `npm run generate`; `make check` fails when types.ts is not what this prints (types.test.ts).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  readonly doc?: string;
}
type AvroType = string | readonly AvroType[] | AvroComplex;
interface AvroComplex {
  readonly type: string;
  readonly name?: string;
  readonly doc?: string;
  readonly fields?: readonly AvroField[];
  readonly symbols?: readonly string[];
  readonly items?: AvroType;
  readonly values?: AvroType;
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  boolean: 'boolean',
  bytes: 'Buffer',
  null: 'null',
};

/** The text of types.ts for the schemas in `folder`. */
export function generateTypes(folder: URL): string {
  const declarations = new Map<string, string>();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.avsc')) continue;
    typeOf(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as AvroType, declarations);
  }
  return `// Generated from the *.avsc files by generate.ts. Do not edit.\n\n${[...declarations.values()].join('\n')}`;
}

function typeOf(type: AvroType, declarations: Map<string, string>): string {
  if (typeof type === 'string') return PRIMITIVES[type] ?? type;
  if ('length' in type) return type.map((branch) => typeOf(branch, declarations)).join(' | ');
  switch (type.type) {
    case 'record':
      return declareRecord(type, declarations);
    case 'enum':
      return declareEnum(type, declarations);
    case 'array':
      return `readonly ${grouped(typeOf(type.items ?? 'null', declarations))}[]`;
    case 'map':
      return `Readonly<Record<string, ${typeOf(type.values ?? 'null', declarations)}>>`;
    default:
      return typeOf(type.type, declarations);
  }
}

function grouped(type: string): string {
  return type.includes('|') ? `(${type})` : type;
}

function declareRecord(type: AvroComplex, declarations: Map<string, string>): string {
  const name = type.name ?? '';
  const lines = (type.fields ?? []).map(
    (field) => `  /** ${field.doc ?? ''} */\n  readonly ${field.name}: ${typeOf(field.type, declarations)};\n`,
  );
  declare(name, `/** ${type.doc ?? ''} */\nexport interface ${name} {\n${lines.join('')}}\n`, declarations);
  return name;
}

function declareEnum(type: AvroComplex, declarations: Map<string, string>): string {
  const name = type.name ?? '';
  const symbols = (type.symbols ?? []).map((symbol) => `'${symbol}'`).join(' | ');
  declare(name, `export type ${name} = ${symbols};\n`, declarations);
  return name;
}

function declare(name: string, text: string, declarations: Map<string, string>): void {
  const known = declarations.get(name);
  if (known !== undefined && known !== text) throw new Error(`schema ${name} is declared twice, differently`);
  declarations.set(name, text);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const folder = new URL('./', import.meta.url);
  writeFileSync(new URL('types.ts', folder), generateTypes(folder));
}

/** Writes ONNX models of one tree ensemble, as exporters do: enough of the format for ONNX Runtime to run them. */

type Value = number | string | readonly number[] | readonly string[];

/** Floats of an attribute, to tell them from integers. */
export interface Floats {
  readonly floats: readonly number[];
}

export interface EnsembleNode {
  readonly operator: 'TreeEnsembleClassifier' | 'TreeEnsembleRegressor';
  readonly inputs: number;
  readonly attributes: Readonly<Record<string, Value | Floats>>;
  /** Lists of numbers as one field each, as onnx's Python library writes them, or packed into one. */
  readonly packed: boolean;
}

export function writeModel({ operator, inputs, attributes, packed }: EnsembleNode): Buffer {
  const isClassifier = operator === 'TreeEnsembleClassifier';
  const node = Buffer.concat([
    text(1, 'features'),
    ...(isClassifier ? [text(2, 'label')] : []),
    text(2, 'probabilities'),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value, packed))),
    text(7, 'ai.onnx.ml'),
  ]);
  const graph = Buffer.concat([
    message(1, node),
    text(2, 'test'),
    message(11, tensor('features', inputs)),
    message(12, tensor('probabilities', isClassifier ? 2 : 1)),
  ]);
  return Buffer.concat([
    integer(1, 8),
    message(7, graph),
    message(8, Buffer.concat([text(1, ''), integer(2, 15)])),
    message(8, Buffer.concat([text(1, 'ai.onnx.ml'), integer(2, 3)])),
  ]);
}

function attribute(name: string, value: Value | Floats, packed: boolean): Buffer {
  const parts = [text(1, name)];
  if (typeof value === 'number') parts.push(integer(3, value), integer(20, 2));
  else if (typeof value === 'string') parts.push(text(4, value), integer(20, 3));
  else if ('floats' in value) {
    const bytes = value.floats.map(float);
    if (packed) parts.push(message(7, Buffer.concat(bytes)));
    else parts.push(...bytes.map((each) => Buffer.concat([key(7, 5), each])));
    parts.push(integer(20, 6));
  } else {
    const numbers = value.filter((each) => typeof each === 'number');
    const texts = value.filter((each) => typeof each === 'string');
    if (packed && numbers.length > 0) parts.push(message(8, Buffer.concat(numbers.map(varint))));
    else parts.push(...numbers.map((each) => integer(8, each)));
    parts.push(...texts.map((each) => text(9, each)), integer(20, texts.length > 0 ? 8 : 7));
  }
  return Buffer.concat(parts);
}

/** A float tensor of any number of rows. */
function tensor(name: string, width: number): Buffer {
  const shape = Buffer.concat([message(1, text(2, 'rows')), message(1, integer(1, width))]);
  const type = Buffer.concat([integer(1, 1), message(2, shape)]);
  return Buffer.concat([text(1, name), message(2, message(1, type))]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

function message(field: number, value: Buffer): Buffer {
  return Buffer.concat([key(field, 2), varint(value.length), value]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([key(field, 0), varint(value)]);
}

function key(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

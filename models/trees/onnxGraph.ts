import { ProtobufReader } from './protobufReader.ts';

/** The little of an ONNX model that tells which computation it is (onnx/onnx, onnx.proto: field numbers are from there). */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxAttribute {
  readonly integer: number;
  readonly text: string;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
  /** It has a value of another kind: a tensor or a graph. */
  readonly isOther: boolean;
}

/** The nodes of the model's graph, in order. Throws RangeError where the bytes are no ONNX model. */
export function onnxNodes(model: Uint8Array): readonly OnnxNode[] {
  const nodes: OnnxNode[] = [];
  const reader = new ProtobufReader(model);
  while (reader.next()) {
    if (reader.field !== 7) {
      reader.skip();
      continue;
    }
    const graph = reader.message();
    while (graph.next()) {
      if (graph.field === 1) nodes.push(readNode(graph.message()));
      else graph.skip();
    }
  }
  return nodes;
}

function readNode(reader: ProtobufReader): OnnxNode {
  const inputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let operator = '';
  while (reader.next()) {
    if (reader.field === 1) inputs.push(reader.text());
    else if (reader.field === 4) operator = reader.text();
    else if (reader.field === 5) {
      const { name, ...attribute } = readAttribute(reader.message());
      attributes.set(name, attribute);
    } else reader.skip();
  }
  return { operator, inputs, attributes };
}

function readAttribute(reader: ProtobufReader): OnnxAttribute & { readonly name: string } {
  const floats: number[] = [];
  const integers: number[] = [];
  const texts: string[] = [];
  let [name, text, integer, isOther] = ['', '', 0, false];
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 3) integer = reader.integer();
    else if (reader.field === 4) text = reader.text();
    else if (reader.field === 7) reader.floats(floats);
    else if (reader.field === 8) reader.integers(integers);
    else if (reader.field === 9) texts.push(reader.text());
    else {
      // Its type and documentation say nothing more.
      isOther ||= reader.field !== 20 && reader.field !== 13;
      reader.skip();
    }
  }
  return { name, integer, text, floats, integers, texts, isOther };
}

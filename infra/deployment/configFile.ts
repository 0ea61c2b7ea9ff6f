import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import type { z } from 'zod';
import type { DeploymentProblem } from './deploymentProblem.ts';
import { explainIssue } from './explainIssue.ts';

const MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * One YAML or JSON file of a deployment (YAML 1.2 contains JSON): its value, and where in the text each part of it
 * stands.
 */
export class ConfigFile {
  readonly name: string;
  /** Undefined when the file could not be read or is not YAML. */
  readonly value: unknown;
  readonly problems: DeploymentProblem[] = [];
  readonly #document: Document | null;
  readonly #lines = new LineCounter();

  private constructor(name: string, text: string | null) {
    this.name = name;
    if (text === null) {
      this.#document = null;
      return;
    }
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    // Only the first: what is found after it mostly follows from it.
    const [error] = this.#document.errors;
    if (error !== undefined) {
      this.#addAt(error.pos[0], 'SLUICE_CONFIG_SYNTAX', `this is not valid YAML here: ${lowerFirst(error.message)}`);
      return;
    }
    try {
      this.value = this.#document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      this.add([], 'SLUICE_CONFIG_SYNTAX', error instanceof Error ? error.message : String(error));
    }
  }

  /** Reads `folder/name`. A file that is not there gives a value of undefined and a problem. */
  static async read(folder: string, name: string): Promise<ConfigFile> {
    let bytes: Buffer;
    try {
      bytes = await readFile(join(folder, name));
    } catch (error) {
      const file = new ConfigFile(name, null);
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      const message = missing ? 'the file is missing' : `the file cannot be read: ${String(error)}`;
      file.add([], missing ? 'SLUICE_CONFIG_MISSING' : 'SLUICE_CONFIG_UNREADABLE', message);
      return file;
    }
    if (bytes.length > MAX_FILE_BYTES) {
      const file = new ConfigFile(name, null);
      file.add([], 'SLUICE_CONFIG_UNREADABLE', `the file is larger than ${MAX_FILE_BYTES} bytes`);
      return file;
    }
    return new ConfigFile(name, bytes.toString('utf8'));
  }

  /** Checks the file, or the part at `path`, against a schema and notes each difference with its place. */
  parse<T>(schema: z.ZodType<T>, path: readonly (string | number)[] = []): T | undefined {
    if (this.#document === null || this.problems.some(({ code }) => code === 'SLUICE_CONFIG_SYNTAX')) return undefined;
    const parsed = schema.safeParse(this.at(path), { error: explainIssue });
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const steps = [...path, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
      if (issue.code === 'unrecognized_keys') {
        // explainIssue gives one line for each key.
        const messages = issue.message.split('\n');
        for (const [index, key] of issue.keys.entries())
          this.add([...steps, key], 'SLUICE_CONFIG_UNKNOWN', messages[index] ?? issue.message);
      } else {
        const name = steps.filter((step) => typeof step === 'string').at(-1);
        const subject = name === undefined ? 'the file' : describePath(this.#asWritten(steps));
        this.add(steps, 'SLUICE_CONFIG_VALUE', `${subject} ${issue.message}`);
      }
    }
    return undefined;
  }

  at(path: readonly (string | number)[]): unknown {
    let value = this.value;
    for (const step of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = Object.entries(value).find(([key]) => key === String(step))?.[1];
    }
    return value;
  }

  /** A list of one may be written without the list: then there is no first of it to name. */
  #asWritten(steps: readonly (string | number)[]): readonly (string | number)[] {
    const around = steps.slice(0, -1);
    return typeof steps.at(-1) === 'number' && !Array.isArray(this.at(around)) ? around : steps;
  }

  /** Notes a problem at the part that `path` leads to, or as near to it as the file goes. */
  add(path: readonly (string | number)[], code: string, message: string): void {
    this.#addAt(this.#positionOf(path), code, message);
  }

  #addAt(position: number, code: string, message: string): void {
    const { line, col } = this.#lines.linePos(position);
    this.problems.push({ file: this.name, line: Math.max(1, line), column: Math.max(1, col), code, message });
  }

  #positionOf(path: readonly (string | number)[]): number {
    let node: unknown = this.#document?.contents ?? null;
    let position = startOf(node) ?? 0;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && sameKey(String(key.value), String(step)));
        if (pair === undefined) break;
        position = startOf(pair.key) ?? position;
        node = pair.value;
      } else if (isSeq(node)) {
        const item: unknown = typeof step === 'number' ? node.items[step] : undefined;
        if (item === undefined) break;
        position = startOf(item) ?? position;
        node = item;
      } else break;
    }
    return position;
  }
}

/** `lateness: 5m` in a file is latenessMs once it is parsed; a problem may name either. */
function sameKey(written: string, asked: string): boolean {
  return written === asked || `${written}Ms` === asked;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? rangeStart(node) : undefined;
}

function rangeStart(node: Node): number | undefined {
  return node.range?.[0];
}

/** rules[2].then.score as a person reads it. */
function describePath(steps: readonly (string | number)[]): string {
  return steps
    .map((step, index) => (typeof step === 'number' ? `[${step + 1}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

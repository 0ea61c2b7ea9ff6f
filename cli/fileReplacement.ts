import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text of a file, and the one that is to take its place. */
export interface NewText {
  /** Null: there is no such file. */
  readonly before: string | null;
  readonly after: string;
}

/**
 * New texts of the files of a folder, on the disk beside the old ones until all take their places. They have names of their
 * own in each process, so that two commands at a time do not take away each other's.
 */
export class FileReplacement {
  readonly #files: readonly { readonly path: string; readonly newPath: string; readonly before: string | null }[];

  constructor(folder: string, texts: Readonly<Record<string, NewText>>) {
    this.#files = Object.entries(texts).map(([name, { before, after }]) => {
      const path = join(folder, name);
      const newPath = `${path}.${process.pid}.new`;
      writeFileSync(newPath, after, before === null ? {} : { mode: statSync(path).mode });
      return { path, newPath, before };
    });
  }

  /** Returns where the new texts are of files that somebody changed meanwhile: those files stay as they are. */
  commit(): readonly string[] {
    const kept: string[] = [];
    for (const { path, newPath, before } of this.#files) {
      if (textOf(path) === before) renameSync(newPath, path);
      else kept.push(newPath);
    }
    return kept;
  }

  discard(): void {
    for (const { newPath } of this.#files) rmSync(newPath, { force: true });
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

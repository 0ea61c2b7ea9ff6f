import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A fenced block under a comment that says what a test does with it: `<!-- run: NAME expects: FRAGMENT -->` runs it in
 * bash, `<!-- check: FILE -->` makes it part of a deployment.
 */
export interface DocumentBlock {
  readonly document: string;
  readonly action: 'run' | 'check';
  readonly name: string;
  /** What the output must contain; '' asks for nothing. */
  readonly expects: string;
  readonly text: string;
}

const BLOCK = /^<!-- (run|check): (\S+)(?: expects: (.+?))? -->\n```\w+\n([\s\S]*?)\n```$/gm;

/** README, the other pages at the top, then the guides; paths from the root. */
export function documents(): readonly string[] {
  const pages = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((name) => join(folder, name));
  return [...new Set(['README.md', ...pages(''), ...pages('docs')])];
}

/** A page's blocks in order. Throws when a comment is not followed by its block, which would never be run. */
export function documentBlocks(document: string): readonly DocumentBlock[] {
  const text = readDocument(document);
  const blocks = [...text.matchAll(BLOCK)].map(([, action, name = '', expects = '', body = '']) => ({
    document,
    action: action === 'check' ? ('check' as const) : ('run' as const),
    name,
    expects,
    text: body,
  }));
  const comments = text.match(/^<!-- (run|check):/gm) ?? [];
  if (comments.length !== blocks.length) {
    throw new Error(`${document} has ${comments.length} comments that name a block, but ${blocks.length} such blocks`);
  }
  return blocks;
}

/** Where a page's links to other files of this repository lead, relative to the page's folder. */
export function documentLinks(document: string): readonly string[] {
  return [...readDocument(document).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^\w+:/.test(target));
}

function readDocument(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

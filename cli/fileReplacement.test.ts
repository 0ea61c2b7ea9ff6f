import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileReplacement } from './fileReplacement.ts';

describe('Replacing files', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  const text = (name: string): string => readFileSync(path(name), 'utf8');
  const texts = { a: { before: 'a1', after: 'a2' }, b: { before: 'b1', after: 'b2' } };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-replacement-'));
    writeFileSync(path('a'), 'a1');
    writeFileSync(path('b'), 'b1');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gives all of them their new texts', () => {
    expect(new FileReplacement(folder, texts).commit()).toEqual([]);
    expect([text('a'), text('b')]).toEqual(['a2', 'b2']);
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  it('leaves them as they are when it is given up', () => {
    new FileReplacement(folder, texts).discard();
    expect([text('a'), text('b')]).toEqual(['a1', 'b1']);
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });

  it('leaves alone what somebody changed or took away meanwhile, and says where the new text is', () => {
    const replacement = new FileReplacement(folder, texts);
    writeFileSync(path('a'), 'mine');
    rmSync(path('b'));
    const kept = replacement.commit();
    expect(kept.map((each) => readFileSync(each, 'utf8'))).toEqual(['a2', 'b2']);
    expect(text('a')).toBe('mine');
    expect(readdirSync(folder)).not.toContain('b');
  });
});

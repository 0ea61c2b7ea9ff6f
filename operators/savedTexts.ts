import { SavedStateError, type StateInput, type StateOutput } from './savedState.ts';

/** Texts that are encoded together: bounds the bytes that are held twice while they are saved. */
const TEXTS_PER_PAGE = 65_536;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Saves texts as pages of UTF-8 with the byte length of each. They must be well-formed, as all that was once UTF-8 is. */
export function saveTexts(output: StateOutput, texts: readonly string[]): void {
  output.number(texts.length);
  for (let from = 0; from < texts.length; from += TEXTS_PER_PAGE) {
    const page = texts.slice(from, from + TEXTS_PER_PAGE);
    const lengths = new Uint32Array(page.length);
    // A UTF-16 unit takes at most three bytes of UTF-8.
    const bytes = new Uint8Array(page.reduce((units, text) => units + text.length, 0) * 3);
    let end = 0;
    for (const [index, text] of page.entries()) {
      const { written } = encoder.encodeInto(text, bytes.subarray(end));
      lengths[index] = written;
      end += written;
    }
    output.array(lengths);
    output.array(bytes.slice(0, end));
  }
}

export function loadTexts(input: StateInput): string[] {
  const count = input.number();
  const texts: string[] = [];
  while (texts.length < count) {
    const lengths = input.uint32Array();
    const bytes = input.uint8Array();
    if (lengths.length !== Math.min(TEXTS_PER_PAGE, count - texts.length))
      throw new SavedStateError(`a page of ${lengths.length} texts where ${count - texts.length} are left`);
    let at = 0;
    for (const length of lengths) {
      texts.push(decoder.decode(bytes.subarray(at, at + length)));
      at += length;
    }
    if (at !== bytes.length) throw new SavedStateError('texts whose lengths are not those of their bytes');
  }
  return texts;
}

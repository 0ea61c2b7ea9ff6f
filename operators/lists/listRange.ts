import { ADDRESS_BITS, addressText, parseAddress } from './ipAddress.ts';

/** Lists whose entries may be ranges: IP addresses with CIDR blocks (RFC 4632), BINs with prefixes and ranges. */
export type RangeKind = 'none' | 'ip' | 'bin';

/** Of a BIN; what a payment has of its card's number (schemas/transaction.avsc). Shorter prefixes stand for all that follow. */
export const MAX_BIN_DIGITS = 8;
const MIN_BIN_DIGITS = 4;

/** A range between two words, or two fours of words, both ends included; reused by whoever parses. */
export class ListRange {
  readonly from = new Uint32Array(4);
  readonly to = new Uint32Array(4);
  /** Words of each end: 1 for IPv4 and BINs, 4 for IPv6. */
  width: 1 | 4 = 1;
  /** A range of one, which is looked up by its text. */
  isSingle = false;

  /** The range of an address or a CIDR block. False: it is neither, or bits beyond the block's length are set. */
  parseIp(text: string): boolean {
    const slash = text.indexOf('/');
    const family = parseAddress(slash < 0 ? text : text.slice(0, slash), this.from);
    if (family === 0) return false;
    const bits = ADDRESS_BITS[family];
    const length =
      slash < 0 ? bits : prefixLength(text.slice(slash + 1), text.includes(':') && family === 4 ? 128 : bits);
    // A mapped address's block is counted from the 96 bits before it.
    const used = length - (family === 4 && text.includes(':') && slash >= 0 ? 96 : 0);
    if (used < 0 || used > bits) return false;
    this.width = family === 4 ? 1 : 4;
    this.isSingle = used === bits;
    let isAligned = true;
    for (let word = 0; word < this.width; word++) {
      const free = hostMask(used - word * 32);
      if ((this.from[word]! & free) !== 0) isAligned = false;
      this.to[word] = (this.from[word]! | free) >>> 0;
      this.from[word] = (this.from[word]! & ~free) >>> 0;
    }
    return isAligned;
  }

  /** The range of a BIN, a prefix of one, or two of the same length with a hyphen between. */
  parseBin(text: string): boolean {
    const [, first = '', last = first] = BIN.exec(text) ?? [];
    if (first === '' || first.length !== last.length || last < first) return false;
    this.width = 1;
    this.from[0] = Number(first.padEnd(MAX_BIN_DIGITS, '0'));
    this.to[0] = Number(last.padEnd(MAX_BIN_DIGITS, '9'));
    this.isSingle = this.from[0] === this.to[0];
    return true;
  }

  parse(kind: RangeKind, text: string): boolean {
    if (kind === 'none') return false;
    return kind === 'ip' ? this.parseIp(text) : this.parseBin(text);
  }

  /** The range parsed last in the one form that lists keep. */
  text(kind: 'ip' | 'bin'): string {
    return kind === 'ip' ? this.#ipText() : this.#binText();
  }

  /** An address as RFC 5952 has it, followed by its length where it is a block. */
  #ipText(): string {
    const address = addressText(this.width === 1 ? 4 : 6, this.from);
    return this.isSingle ? address : `${address}/${this.#prefixLength()}`;
  }

  /** The prefix that the range is, else its ends, with no more digits than it needs. */
  #binText(): string {
    let first = String(this.from[0]!).padStart(MAX_BIN_DIGITS, '0');
    let last = String(this.to[0]!).padStart(MAX_BIN_DIGITS, '0');
    while (first.length > MIN_BIN_DIGITS && first.endsWith('0') && last.endsWith('9')) {
      first = first.slice(0, -1);
      last = last.slice(0, -1);
    }
    return first === last ? first : `${first}-${last}`;
  }

  #prefixLength(): number {
    let length = 0;
    for (let word = 0; word < this.width; word++) length += Math.clz32(this.from[word]! ^ this.to[word]!);
    return length;
  }
}

const BIN = new RegExp(
  `^([0-9]{${MIN_BIN_DIGITS},${MAX_BIN_DIGITS}})(?:-([0-9]{${MIN_BIN_DIGITS},${MAX_BIN_DIGITS}}))?$`,
);

/** Bits of a word that a prefix of so many bits leaves free. */
function hostMask(bits: number): number {
  if (bits <= 0) return 0xffffffff;
  return bits >= 32 ? 0 : 0xffffffff >>> bits;
}

/** -1: no length. */
function prefixLength(text: string, most: number): number {
  return /^(0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= most ? Number(text) : -1;
}

import type { RangeKind } from '../../operators/lists/listRange.ts';

/**
 * Entries of a list that are ranges of addresses or BINs, as one row for each text of the payments that lies in one: `entries` and the
 * result have value, put_offset, until_offset and expires_at; `texts` gives the payments' distinct texts as `sought`.
 */
export function listRangesSql(kind: Exclude<RangeKind, 'none'>, entries: string, texts: string): string {
  return kind === 'bin' ? binRangesSql(entries, texts) : ipRangesSql(entries, texts);
}

/** As ListRange.parseBin has it: digits missing at the end stand for all. */
function binRangesSql(entries: string, texts: string): string {
  const ends = (first: string, last: string): string =>
    `toUInt32OrZero(rightPad(${first}, 8, '0')) AS low, toUInt32OrZero(rightPad(${last}, 8, '9')) AS high`;
  return `SELECT asked.sought AS value, entry.put_offset AS put_offset, entry.until_offset AS until_offset, entry.expires_at AS expires_at
FROM (SELECT sought, ${ends('sought', 'sought')} FROM (${texts}) WHERE match(sought, '^[0-9]{4,8}$')) AS asked
CROSS JOIN (
  SELECT put_offset, until_offset, expires_at, ${ends("splitByChar('-', value)[1]", "splitByChar('-', value)[-1]")}
  FROM (${entries}) WHERE match(value, '^[0-9]{4,8}(-[0-9]{4,8})?$')
) AS entry
WHERE entry.low <= asked.low AND asked.high <= entry.high`;
}

/** Blocks of a length are found by the first bits of the address: one look for each length that some entry has. */
function ipRangesSql(entries: string, texts: string): string {
  const isSix = (value: string): string => `position(${value}, ':') > 0`;
  const blocks = `SELECT put_offset, until_offset, expires_at, ${isSix('value')} AS is_six,
    toIPv6OrNull(splitByChar('/', value)[1]) AS network,
    toUInt8(if(position(value, '/') = 0, 128, toUInt8OrZero(splitByChar('/', value)[2]) + if(is_six, 0, 96))) AS bits
  FROM (${entries}) WHERE network IS NOT NULL`;
  const mapped = "startsWith(hex(address), '00000000000000000000FFFF')";
  return `SELECT asked.sought AS value, entry.put_offset AS put_offset, entry.until_offset AS until_offset, entry.expires_at AS expires_at
FROM (
  SELECT sought, NOT ${mapped} AS is_six, bits, IPv6CIDRToRange(assumeNotNull(address), bits).1 AS network
  FROM (SELECT sought, toIPv6OrNull(sought) AS address FROM (${texts})) AS addresses
  CROSS JOIN (SELECT DISTINCT bits FROM (${blocks})) AS lengths
  WHERE address IS NOT NULL
) AS asked
INNER JOIN (SELECT put_offset, until_offset, expires_at, is_six, bits, assumeNotNull(network) AS network FROM (${blocks})) AS entry
  ON entry.network = asked.network AND entry.bits = asked.bits AND entry.is_six = asked.is_six`;
}

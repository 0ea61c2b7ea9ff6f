/** The version after this one that none of `used` is: 2026-11.4 after 2026-11.3, v.1 after v. */
export function nextRuleSetVersion(version: string, used: Iterable<string> = []): string {
  const taken = new Set([...used, version]);
  const counted = /^(.*?)(\d{1,15})$/.exec(version);
  const [prefix, from] = counted === null ? [`${version}.`, 0] : [counted[1] ?? '', Number(counted[2])];
  let number = from + 1;
  while (taken.has(`${prefix}${String(number)}`)) number += 1;
  return `${prefix}${String(number)}`;
}

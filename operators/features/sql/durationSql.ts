const units = [
  { ms: 86_400_000, name: 'DAY', suffix: 'd' },
  { ms: 3_600_000, name: 'HOUR', suffix: 'h' },
  { ms: 60_000, name: 'MINUTE', suffix: 'm' },
  { ms: 1_000, name: 'SECOND', suffix: 's' },
] as const;

/** The largest unit that a length of time is whole in. */
function unitOf(durationMs: number): { readonly ms: number; readonly name: string; readonly suffix: string } {
  const unit = units.find(({ ms }) => durationMs > 0 && durationMs % ms === 0);
  return unit ?? { ms: 1, name: 'MILLISECOND', suffix: 'ms' };
}

/** `INTERVAL 30 DAY`. */
export function intervalSql(durationMs: number): string {
  const { ms, name } = unitOf(durationMs);
  return `INTERVAL ${durationMs / ms} ${name}`;
}

/** `30d`, as features.yaml writes it. */
export function durationText(durationMs: number): string {
  const { ms, suffix } = unitOf(durationMs);
  return `${durationMs / ms}${suffix}`;
}

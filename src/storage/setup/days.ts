export const dayMs = 86_400_000;

/** `30 days`, `12 hours`. */
export function daysOf(ms: number): string {
  const [count, unit] = ms % dayMs === 0 ? [ms / dayMs, 'day'] : [Math.round(ms / 3_600_000), 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

import { createHash } from 'node:crypto';

/** Of a name in PostgreSQL. */
const mostBytes = 63;

/** The slot by which the log of a component is streamed: no other component has the same. */
export function slotName(component: string): string {
  return bounded(`holdfast_${component.replaceAll('-', '_')}`, component);
}

/** The slot that is suggested for a standby of it. */
export function standbySlotName(component: string): string {
  return bounded(`${component.replaceAll('-', '_')}_standby`, component);
}

function bounded(name: string, component: string): string {
  if (name.length <= mostBytes) return name;
  const hash = createHash('sha256').update(component).digest('hex').slice(0, 8);
  return `${name.slice(0, mostBytes - 9)}_${hash}`;
}

import { fieldsOf, textOf, type Fields } from '../../../bytes/fields.ts';
import { bigOf, numberOf, oneOf, readPlace } from './sidecar-values.ts';
import type { EventFact } from './record.ts';
import type { LogEvent } from './summary.ts';

/** An event out of a sidecar; 'damaged' where it is of no kind that is known. */
export function readEvent(fields: Fields, what: string): LogEvent {
  return { ...readFact(fields, what), ...readPlace(fields, what) };
}

const kinds = [
  'restore-point',
  'checkpoint',
  'shutdown',
  'end-of-recovery',
  'switch',
  'capacities',
  'tablespace-created',
  'tablespace-dropped',
  'database-created',
  'database-dropped',
] as const;

function readFact(fields: Fields, what: string): EventFact {
  const kind = oneOf(kinds, fields['kind'], what);
  const number = (name: string): number => numberOf(fields[name], `${what}: ${name}`);
  const big = (name: string): bigint => bigOf(fields[name], `${what}: ${name}`);
  const text = (name: string): string => textOf(fields[name], `${what}: ${name}`);
  switch (kind) {
    case 'restore-point':
      return { kind, name: text('name'), timeNs: big('timeNs') };
    case 'checkpoint':
    case 'shutdown':
      return { kind, redo: big('redo'), timeline: number('timeline') };
    case 'end-of-recovery':
      return { kind, timeline: number('timeline'), before: number('before'), timeNs: big('timeNs') };
    case 'switch':
      return { kind };
    case 'capacities': {
      const capacities = Object.entries(fieldsOf(fields['capacities'], what));
      return { kind, capacities: Object.fromEntries(capacities.map(([name, value]) => [name, Number(value)])) };
    }
    case 'tablespace-created':
      return { kind, oid: number('oid'), path: text('path') };
    case 'database-created':
      return { kind, oid: number('oid'), tablespace: number('tablespace') };
    case 'tablespace-dropped':
    case 'database-dropped':
      return { kind, oid: number('oid') };
  }
}

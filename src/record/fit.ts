import type { RecordFacts } from './record.ts';

/** Of each member of what is recorded, where all of it together is too much. */
const mostBytesOfMember = 2048;
const mostCharacters = 500;

/**
 * Data that fits into a record, and says that something was left out: a fact that is too large is recorded in short
 * rather than not at all, where it would hold back all that come after it. Long texts are cut, other long members left
 * out.
 */
export function shortened(data: RecordFacts['data']): RecordFacts['data'] {
  const members = Object.entries(data).flatMap(([name, value]): (readonly [string, unknown])[] => {
    const isSmall = Buffer.byteLength(JSON.stringify(value) ?? '') <= mostBytesOfMember;
    if (isSmall) return [[name, value]];
    return typeof value === 'string' ? [[name, `${value.slice(0, mostCharacters)}…`]] : [];
  });
  return { ...Object.fromEntries(members.slice(0, 20)), shortened: true };
}

import { HoldfastError } from '../../../errors/error.ts';
import type { WantedPart } from '../../extraction.ts';
import { identifierParts } from '../identifier.ts';

/** A table or a schema by the names that the catalogue has for it. */
export interface PartName {
  /** Undefined: whichever has the table. */
  readonly schema: string | undefined;
  /** Undefined: the schema as a whole. */
  readonly table: string | undefined;
}

export interface NamedPart {
  readonly name: PartName;
  /** What it is called by then; undefined: the same. */
  readonly as: PartName | undefined;
}

const mostBytes = 63;

/** 'usage' for names that are none, or that say more than there is. */
export function namedParts(wanted: readonly WantedPart[]): readonly NamedPart[] {
  if (new Set(wanted.map(({ kind }) => kind)).size > 1) throw usage('tables and schemas can’t be taken at once');
  if (wanted.length > 1 && wanted.some(({ as }) => as !== undefined))
    throw usage('--as names one table or one schema; take them one by one');
  return wanted.map(({ kind, name, as }) => ({
    name: nameOf(kind, name),
    as: as === undefined ? undefined : nameOf(kind, as),
  }));
}

function nameOf(kind: WantedPart['kind'], text: string): PartName {
  const parts = partsOf(text);
  const [first = '', second] = parts;
  if (parts.some((part) => Buffer.byteLength(part) > mostBytes))
    throw usage(`${JSON.stringify(text)}: a name of PostgreSQL has at most ${mostBytes} bytes`);
  if (parts.length > (kind === 'table' ? 2 : 1))
    throw usage(`${JSON.stringify(text)} is no name of a ${kind}; a database is named by --database`);
  if (kind === 'schema') return { schema: first, table: undefined };
  return second === undefined ? { schema: undefined, table: first } : { schema: first, table: second };
}

function partsOf(text: string): readonly string[] {
  try {
    return identifierParts(text).map((part) => part.slice(1, -1).replaceAll('""', '"'));
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new HoldfastError('usage', cause.message, { cause });
  }
}

function usage(message: string): HoldfastError {
  return new HoldfastError('usage', message);
}

/**
 * A name for what belongs to a table that is renamed, as its indexes: with the new name for the old one, or behind it,
 * and none of those that are taken.
 */
export function nameBeside(
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
  taken: ReadonlySet<string>,
): string {
  const wanted = name.startsWith(from) ? `${to}${name.slice(from.length)}` : `${to}_${name}`;
  for (let attempt = 1; ; attempt += 1) {
    const found = cut(wanted, attempt === 1 ? '' : `_${attempt}`);
    if (!taken.has(found)) return found;
  }
}

/** In whole characters. */
function cut(name: string, suffix: string): string {
  let letters = Array.from(name);
  while (Buffer.byteLength(letters.join('') + suffix) > mostBytes) letters = letters.slice(0, -1);
  return letters.join('') + suffix;
}

import { HoldfastError } from '../../errors/error.ts';

const part = /(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))/y;

/** The parts of a name as SQL takes it, `public.orders` or `"Orders"."Id"`, quoted; 'refused' where it is none. */
export function identifierParts(text: string): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; ; at = part.lastIndex + 1) {
    part.lastIndex = at;
    const [whole, quoted, plain] = part.exec(text) ?? [];
    if (whole === undefined) break;
    parts.push(quoted === undefined ? `"${plain?.toLowerCase()}"` : `"${quoted}"`);
    if (part.lastIndex === text.length) return parts;
    if (text[part.lastIndex] !== '.') break;
  }
  throw new HoldfastError(
    'refused',
    `${JSON.stringify(text)} is no name of SQL: schema.table, with double quotes where it needs them`,
  );
}

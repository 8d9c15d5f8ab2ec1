import { quoted } from '../logical/quoting.ts';

/** A qualified name as SQL has it. */
export function qualified(schema: string, name: string): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** For people, and as they may give it back: quoted where it has to be. */
export function shownName(...parts: readonly string[]): string {
  return parts.map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : quoted(part))).join('.');
}

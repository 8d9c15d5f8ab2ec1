import type { Context } from './context.ts';

/** What `postgres archive-get` ends with where each place of the log was asked and has no such file: no other error does. */
const provenAbsent = 44;

export function sayAbsent(component: string, file: string, { console }: Pick<Context, 'console'>): number {
  console.say(`${component}: no place of its log holds ${file}`);
  return provenAbsent;
}

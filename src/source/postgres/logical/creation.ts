import type { DumpedDatabase } from './description.ts';
import { literal } from './quoting.ts';

/** What `create database` says behind the name: the encoding and the locale that it had. */
export function creationOf({ encoding, collate, ctype, provider, locale }: DumpedDatabase, major: number): string {
  return [
    'template template0',
    `encoding ${literal(encoding)}`,
    ...(collate === null ? [] : [`lc_collate ${literal(collate)}`]),
    ...(ctype === null ? [] : [`lc_ctype ${literal(ctype)}`]),
    ...(provider === 'i' ? [`locale_provider icu icu_locale ${literal(locale ?? '')}`] : []),
    ...(provider === 'b' ? [`locale_provider builtin builtin_locale ${literal(locale ?? '')}`] : []),
    ...(provider === 'c' && major >= 15 ? ['locale_provider libc'] : []),
  ].join(' ');
}

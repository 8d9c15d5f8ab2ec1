import { withoutSecrets } from '../secret/redact.ts';

const mostCharacters = 500;

/** What a server or a program says, as it may go to a terminal: without secrets and control characters, and not endless. */
export function othersWords(words: string): string {
  return withoutSecrets(words).slice(0, mostCharacters).replaceAll(/\p{C}/gu, '?');
}

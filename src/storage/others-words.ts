const mostCharacters = 500;

/** What a server or a program says, as it may go to a terminal: without control characters, and not endless. */
export function othersWords(words: string): string {
  return words.slice(0, mostCharacters).replaceAll(/\p{C}/gu, '?');
}

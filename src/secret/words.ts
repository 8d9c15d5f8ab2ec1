import { HoldfastError } from '../errors/error.ts';

/** A word: bare pieces, 'verbatim' pieces and "quoted" ones; a backslash outside '…' takes the next character as it is. */
const word = /(?:[^\s'"\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")+/gy;
const piece = /'(?<verbatim>[^']*)'|"(?<quoted>(?:[^"\\]|\\[^])*)"|\\(?<escaped>[^])|(?<bare>[^\s'"\\]+)/g;

/** Splits a command line into words as a shell does, and expands nothing. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(line.slice(at))?.[0].length ?? 0;
    if (at === line.length) return words;
    word.lastIndex = at;
    const found = word.exec(line)?.[0];
    if (found === undefined) throw new HoldfastError('usage', 'a quote or a backslash in the command has no end');
    words.push(unquoted(found));
    at += found.length;
  }
}

function unquoted(text: string): string {
  const pieces = [...text.matchAll(piece)].map(({ groups = {} }) => {
    const { verbatim, quoted, escaped, bare } = groups;
    return verbatim ?? quoted?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? bare ?? '';
  });
  return pieces.join('');
}

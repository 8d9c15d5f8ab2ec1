/** The known word that a mistyped one most likely meant: at most a third of its letters apart. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const rated = known.map((candidate) => ({ candidate, edits: distance(word, candidate) }));
  const best = rated.toSorted((a, b) => a.edits - b.edits)[0];
  return best !== undefined && best.edits <= limit ? best.candidate : undefined;
}

/** Edits of letters: one too many, one missing, another one, two swapped. */
function distance(from: string, to: string): number {
  let [before, row]: [readonly number[], readonly number[]] = [
    [],
    Array.from({ length: to.length + 1 }, (_, at) => at),
  ];
  for (const [at, letter] of Array.from(from).entries()) {
    const next = [at + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === letter ? 0 : 1);
      const isSwap = to[column - 2] === letter && to[column - 1] === from[at - 1];
      const swapped = isSwap ? (before[column - 2] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row.at(-1) ?? 0;
}

/** How many operands may stand there. */
export interface Arity {
  readonly least: number;
  readonly most: number;
}

/**
 * What a command's operands say for people, as numbers: `SNAPSHOT [FOLDER…]` is one at least; of several ways, `SNAPSHOT
 * PATH | COMPONENT PATH`, the least of all and the most of all.
 */
export function arityOf(operands: string): Arity {
  const optional = /^\[(?<ways>.*\|.*)\]$/.exec(operands)?.groups?.['ways'];
  const ways = (optional ?? operands).split(' | ').map((way) => way.split(' ').filter((word) => word !== ''));
  const least = ways.map((words) => words.filter((word) => !word.startsWith('[')).length);
  const most = ways.map((words) => (words.some((word) => word.includes('…')) ? Infinity : words.length));
  return { least: optional === undefined ? Math.min(...least) : 0, most: Math.max(...most) };
}

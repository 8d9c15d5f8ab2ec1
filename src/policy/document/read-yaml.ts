import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import type { Problem } from '../problem.ts';
import type { Located, Member, Scalar } from './located.ts';
import type { Path, Place } from '../path.ts';

/** Far above any policy of a team; bounds what a mistaken file can take. */
const greatest = { bytes: 1 << 20, values: 20_000, depth: 40, problems: 100 } as const;

interface Reading {
  /** By the last anchor of that name that came before; looked up by the library, each alias would cost a walk. */
  readonly anchored: Map<string, Node>;
  readonly lines: LineCounter;
  readonly problems: Problem[];
  values: number;
}

/** YAML 1.2 with its places. What isn't well-formed is a problem with its place, all of them at once. */
export function readYaml(text: string): { readonly root: Located | undefined; readonly problems: readonly Problem[] } {
  if (text.length > greatest.bytes) return { root: undefined, problems: [whole('the file is larger than 1 MiB')] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const problems = document.errors.slice(0, greatest.problems).map(({ pos, message }): Problem => ({
    severity: 'error',
    place: placeOf(lines, pos[0], []),
    message: withoutQuotes(message),
  }));
  if (problems.length > 0) return { root: undefined, problems };
  const reading: Reading = { anchored: new Map(), lines, problems, values: 0 };
  if (document.contents === null) return { root: undefined, problems: [whole('the file is empty')] };
  const root = located(reading, document.contents, [], 0);
  return { root: problems.length === 0 ? root : undefined, problems };
}

/** What the parser quotes of the file may be a secret that stands at the wrong place. */
function withoutQuotes(message: string): string {
  if (message.startsWith('Maximum call stack')) return 'the file is nested too deeply';
  return message.replace(/:\s+(?!in |between )[^]*$/, '').replace(/(?<=Invalid escape sequence) [^]*$/, '');
}

function whole(message: string): Problem {
  return { severity: 'error', place: { line: 1, column: 1, path: [] }, message };
}

function placeOf(lines: LineCounter, offset: number, path: Path): Place {
  const { line, col } = lines.linePos(offset);
  return { line, column: col, path };
}

function located(reading: Reading, node: unknown, path: Path, depth: number, at?: Place): Located {
  const place = at ?? placeOf(reading.lines, offsetOf(node), path);
  reading.values += 1;
  if (depth > greatest.depth || reading.values > greatest.values)
    return refused(reading, place, 'the file is nested too deeply, or its aliases make it too large');
  if (isAlias(node)) return located(reading, reading.anchored.get(node.source), path, depth + 1, place);
  if (isNode(node) && 'anchor' in node && node.anchor !== undefined) reading.anchored.set(node.anchor, node);
  if (isMap(node)) return { value: members(reading, node.items, path, depth), place };
  if (isSeq(node))
    return { value: node.items.map((item, index) => located(reading, item, [...path, index], depth + 1)), place };
  if (isScalar(node) && isPlain(node.value)) return { value: node.value, place };
  return node === null ? { value: null, place } : refused(reading, place, 'a value that a policy has no use for');
}

function members(reading: Reading, pairs: readonly Pair[], path: Path, depth: number): ReadonlyMap<string, Member> {
  const joined = new Map<string, Member>();
  for (const pair of pairs) {
    const [name, found] = member(reading, pair, path, depth);
    if (joined.has(name))
      reading.problems.push({ severity: 'error', place: found.keyPlace, message: 'keys must be unique' });
    joined.set(name, found);
  }
  return joined;
}

type Pair = { readonly key: unknown; readonly value: unknown };

function member(reading: Reading, { key, value }: Pair, path: Path, depth: number): readonly [string, Member] {
  const keyPlace = placeOf(reading.lines, offsetOf(key), path);
  const name = isScalar(key) && isPlain(key.value) ? String(key.value) : '';
  if (!isScalar(key)) refused(reading, keyPlace, 'a key has to be a word');
  const here = [...path, name];
  const empty = value === null ? { value: null, place: { ...keyPlace, path: here } } : undefined;
  return [name, { keyPlace: { ...keyPlace, path: here }, located: empty ?? located(reading, value, here, depth + 1) }];
}

function refused({ problems }: Reading, place: Place, message: string): Located {
  if (!problems.some((one) => one.message === message)) problems.push({ severity: 'error', place, message });
  return { value: null, place };
}

function isPlain(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

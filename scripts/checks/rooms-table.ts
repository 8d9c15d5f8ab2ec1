/** For each room those that it may import. */
export type Rooms = ReadonlyMap<string, ReadonlySet<string>>;

interface Row {
  readonly rooms: readonly string[];
  readonly allowed: string;
}

/**
 * Reads the rooms table of docs/ARCHITECTURE.md: rows `| rooms | text | may import |`, the last row the base,
 * whose rooms import those after them and are open to all others.
 */
export function readRooms(page: string): Rooms {
  const rows = tableRows(page);
  const base = rows.at(-1)?.rooms ?? [];
  const upper = rows.slice(0, -1);
  const rooms = new Map<string, ReadonlySet<string>>();
  for (const [index, row] of upper.entries()) {
    const below = upper.slice(index + 1).flatMap((lower) => lower.rooms);
    for (const room of row.rooms) rooms.set(room, new Set([...allowedOf(row, below), ...base]));
  }
  for (const [index, room] of base.entries()) rooms.set(room, new Set(base.slice(index + 1)));
  return rooms;
}

function tableRows(page: string): readonly Row[] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith('| room |'));
  if (start < 0) throw new Error('docs/ARCHITECTURE.md has no rooms table');
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) => {
    const [, rooms = '', , allowed = ''] = line.split('|');
    return { rooms: rooms.match(/[a-z]+/g) ?? [], allowed: allowed.trim() };
  });
}

function allowedOf(row: Row, below: readonly string[]): readonly string[] {
  const words = row.allowed.split(',').map((word) => word.trim());
  return words.filter((word) => word !== '').flatMap((word) => expand(word, row, below));
}

function expand(word: string, row: Row, below: readonly string[]): readonly string[] {
  if (word === '*') return below;
  const name = word.replace('..', '');
  const at = below.indexOf(name);
  if (at < 0) throw new Error(`rooms table: ${row.rooms.join(', ')} may import ${word}, which is no room below`);
  return word.endsWith('..') ? below.slice(at) : [name];
}

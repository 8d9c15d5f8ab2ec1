import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesMatching, root } from '../tree.ts';
import { parseFile, type SourceFile } from '../source-file.ts';
import type { Verdict } from './check.ts';
import { cycles } from './cycles.ts';
import { readRooms, type Rooms } from './rooms-table.ts';

/** The file that starts the program, which stands directly in src/. */
const start = 'src/main.js';
const startsIn = 'cli';

type Imports = Pick<SourceFile, 'path' | 'imports' | 'loads'>;

/** Holds every import of src/ against the table in docs/ARCHITECTURE.md. */
export function checkRooms(): Verdict {
  const rooms = readRooms(readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8'));
  return { findings: roomFindings(rooms, filesMatching('src/**/*.{js,ts}').map(parseFile)) };
}

export function roomFindings(rooms: Rooms, files: readonly Imports[]): readonly string[] {
  const circles = cycles(new Map(files.map((file) => [file.path, file.loads])));
  return [
    ...files.flatMap((file) => file.imports.flatMap((target) => importFinding(rooms, file.path, target))),
    ...circles.map((circle) => `files import each other: ${circle.join(' → ')}`),
  ];
}

function importFinding(rooms: Rooms, from: string, target: string): readonly string[] {
  const isTest = from.endsWith('.test.ts');
  const ownRoom = from === start ? startsIn : (from.split('/')[1] ?? '');
  if (!rooms.has(ownRoom)) return [`${from}: ${ownRoom} is no room of docs/ARCHITECTURE.md`];
  if (!target.endsWith('.ts')) return [];
  const [top, room = '', ...rest] = target.split('/');
  if (top !== 'src') return isTest ? [] : [`${from}: imports ${target}, which stands outside src/`];
  if (room === ownRoom) return [];
  if (rest.length !== 1) return [`${from}: ${target} is private to ${room}`];
  if (isTest || rooms.get(ownRoom)?.has(room) === true) return [];
  return [`${from}: ${ownRoom} may not import ${room} (${target})`];
}

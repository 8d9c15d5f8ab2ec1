import { lstatSync, readdirSync, readFileSync, type BigIntStats } from 'node:fs';
import { chmod, chown, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { rawPath, rawPathOf, systemPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import type { Places } from './places.ts';

const attributes = z.strictObject({
  ...{ mode: z.int(), uid: z.int(), gid: z.int() },
  ...{ atimeMs: z.number(), mtimeMs: z.number() },
});
/** Pairs of a name and its inode: no name is a key that means something else. */
const names = z.array(z.tuple([z.string(), z.string()]));
const form = z.strictObject({ old: attributes, restored: attributes, names });

/** What was there before the first move: by it old and new are told apart. */
export interface Before extends Omit<z.output<typeof form>, 'names'> {
  readonly names: ReadonlyMap<string, string>;
}
type Attributes = Before['old'];

/** Undefined where nothing was moved yet. */
export function beforeIn({ root }: Places): Before | undefined {
  const path = join(root, 'before');
  try {
    const before = form.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { ...before, names: new Map(before.names) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

export async function writeBefore(places: Places): Promise<Before> {
  const { root, live, restored } = places;
  const folder = rawPathOf(live);
  const names = new Map(namesIn(places, live).map((name) => [name, inodeOf(joinPath(folder, name)) ?? '']));
  const before: Before = { old: attributesOf(live), restored: attributesOf(restored), names };
  await writeWhole(join(root, 'before'), JSON.stringify({ ...before, names: [...names] }));
  return before;
}

export function isOld({ names }: Before, path: RawPath, name: string): boolean {
  return names.has(name) && names.get(name) === inodeOf(path);
}

/** Without the plan's own folder, and the file system's; a folder that is not there holds none. */
export function namesIn({ root }: Places, folder: string): readonly RawPath[] {
  const left = [rawPathOf('lost+found'), rawPathOf(root.slice(root.lastIndexOf('/') + 1))];
  try {
    const names = readdirSync(folder, { encoding: 'buffer' }).map((name) => rawPath(name));
    return names.filter((name) => !left.includes(name));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return [];
  }
}

function inodeOf(path: RawPath): string | undefined {
  return inodeAt(systemPath(path));
}

function attributesOf(folder: string): Attributes {
  const { mode, uid, gid, atimeMs, mtimeMs }: BigIntStats = lstatSync(folder, { bigint: true });
  const numbers = { uid: Number(uid), gid: Number(gid), atimeMs: Number(atimeMs), mtimeMs: Number(mtimeMs) };
  return { mode: Number(mode & 0o7777n), ...numbers };
}

export async function setAttributes(folder: string, { mode, uid, gid, atimeMs, mtimeMs }: Attributes): Promise<void> {
  await chown(folder, uid, gid);
  await chmod(folder, mode);
  await utimes(folder, atimeMs / 1000, mtimeMs / 1000);
}

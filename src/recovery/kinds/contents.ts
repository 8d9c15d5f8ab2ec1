import { lstatSync, readdirSync, readFileSync, type BigIntStats } from 'node:fs';
import { chmod, chown, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { rawPath, rawPathOf, systemPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { writeWhole } from './durable.ts';
import type { Places } from './places.ts';

const attributes = z.strictObject({
  ...{ mode: z.int(), uid: z.int(), gid: z.int() },
  ...{ atimeMs: z.number(), mtimeMs: z.number() },
});
const form = z.strictObject({ old: attributes, restored: attributes, names: z.record(z.string(), z.string()) });

/** What was there before the first move: by it old and new are told apart. */
export type Before = z.output<typeof form>;
type Attributes = Before['old'];

/** Undefined where nothing was moved yet. */
export function beforeIn({ root }: Places): Before | undefined {
  const path = join(root, 'before');
  try {
    return form.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

export async function writeBefore(places: Places): Promise<Before> {
  const { root, live, restored } = places;
  const folder = rawPathOf(live);
  const names = Object.fromEntries(namesIn(places, live).map((name) => [name, inodeAt(joinPath(folder, name)) ?? '']));
  const before = { old: attributesOf(live), restored: attributesOf(restored), names };
  await writeWhole(join(root, 'before'), JSON.stringify(before));
  return before;
}

export function isOld({ names }: Before, path: RawPath, name: string): boolean {
  return Object.hasOwn(names, name) && names[name] === inodeAt(path);
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

export function inodeAt(path: RawPath): string | undefined {
  const stat = lstatSync(systemPath(path), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
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

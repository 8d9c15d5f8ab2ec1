import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { errorCode } from '../../host/system-error.ts';
import { processIsAlive } from '../../host/users.ts';

/** A control group that bounds memory. */
export interface MemoryGroup {
  readonly path: string;
  /** Whether the kernel killed something in it for want of memory. */
  ranOut(): Promise<boolean>;
  /** Once no process is left in it. */
  remove(): Promise<void>;
}

/** The file of the bound, and that where the kernel counts its kills. */
const versions = {
  two: { bound: 'memory.max', swap: 'memory.swap.max', kills: 'memory.events' },
  one: { bound: 'memory.limit_in_bytes', swap: 'memory.memsw.limit_in_bytes', kills: 'memory.oom_control' },
} as const;

type Version = keyof typeof versions;

/** Where the kernel tells of groups, and how one is made and removed: it fills a new one with files, and takes them along. */
export interface GroupTree {
  /** As /proc/self/cgroup. */
  readonly own: string;
  /** As /proc/self/mounts. */
  readonly mounts: string;
  readonly make: (path: string) => Promise<unknown>;
  readonly remove: (path: string) => Promise<void>;
}

const kernelTree: GroupTree = { own: '/proc/self/cgroup', mounts: '/proc/self/mounts', make: mkdir, remove: rmdir };

/** Of version 2 where its controller is there, else of version 1; undefined where this user may make neither. */
export async function memoryGroup(
  bytes: number,
  clock: Clock,
  tree: GroupTree = kernelTree,
): Promise<MemoryGroup | undefined> {
  for (const { version, folder } of await placesForGroups(tree)) {
    await removeLeftovers(folder, tree);
    const path = join(folder, `holdfast-${process.pid}-${randomBytes(6).toHex()}`);
    if (await bounded(path, { version, bytes }, tree))
      return {
        path,
        ranOut: async () => /oom_kill [1-9]/.test(await readFile(join(path, versions[version].kills), 'utf8')),
        remove: async () => await removeGroup(path, clock, tree),
      };
  }
  return undefined;
}

async function bounded(
  path: string,
  { version, bytes }: { readonly version: Version; readonly bytes: number },
  { make, remove }: GroupTree,
): Promise<boolean> {
  const { bound, swap } = versions[version];
  try {
    await make(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false; // not ours to make here
  }
  try {
    if (existsSync(join(path, bound))) {
      await writeFile(join(path, bound), String(bytes));
      if (existsSync(join(path, swap))) await writeFile(join(path, swap), version === 'two' ? '0' : String(bytes));
      return true;
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
  await remove(path);
  return false;
}

interface Place {
  readonly version: Version;
  readonly folder: string;
}

/** Where this process may have groups: below its own, beside it, or at the top. */
async function placesForGroups(tree: GroupTree): Promise<readonly Place[]> {
  try {
    const own = await readFile(tree.own, 'utf8');
    const mounts = (await readFile(tree.mounts, 'utf8')).split('\n').map((line) => line.split(' '));
    const two = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
    const one = mounts.find(([, , type, flags]) => type === 'cgroup' && flags?.split(',').includes('memory'))?.[1];
    return [
      ...placesIn('two', two, /^0::(.*)$/m.exec(own)?.[1]),
      ...placesIn('one', one, /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(own)?.[1]),
    ];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return []; // no such files: no such groups
  }
}

function placesIn(version: Version, root: string | undefined, own = '/'): readonly Place[] {
  if (root === undefined) return [];
  const folders = new Set([join(root, own), join(root, dirname(own)), root]);
  return [...folders].filter((folder) => existsSync(folder)).map((folder) => ({ version, folder }));
}

/** Of runs that were killed; one that is in use can't be removed. */
async function removeLeftovers(folder: string, { remove }: GroupTree): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^holdfast-(\d+)-[0-9a-f]{12}$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && !processIsAlive(pid)) await remove(join(folder, name)).catch(() => undefined);
  }
}

const removalTries = 100;

/** The kernel takes processes out of their group a moment after they ended. */
async function removeGroup(path: string, clock: Clock, { remove }: GroupTree): Promise<void> {
  for (let tries = 0; tries < removalTries; tries++) {
    try {
      await remove(path);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EBUSY') return; // gone, or left for the next sandbox
      await clock.sleep(20);
    }
  }
}

import { writeFile } from 'node:fs/promises';
import { keepInherited } from '../../host/inherited.ts';
import { errorCode } from '../../host/system-error.ts';
import type { Sandbox, SandboxOptions } from '../sandbox.ts';
import { runInside, type Inside } from './command.ts';
import { freeBytes } from './disk.ts';
import { startHolder } from './holder.ts';
import { memoryGroup, type MemoryGroup } from './memory-group.ts';
import { getInside } from './web.ts';

export async function openIsolation(options: SandboxOptions): Promise<Sandbox> {
  const notes: string[] = [];
  if (keepInherited() === 'unknown')
    notes.push('what Holdfast was started with, as a lock’s descriptor, reaches inside');
  let group = await memoryGroup(options.limits.memoryBytes, options.clock);
  const enter = async (pid: number): Promise<void> => {
    if (group !== undefined && !(await entered(group, pid))) {
      await group.remove();
      group = undefined;
    }
    if (group === undefined) notes.push('memory is not limited: this user can make no control group for it');
  };
  try {
    const holder = await startHolder(options, enter);
    const inside: Inside = { holder, group, freeAtFirst: await freeBytes(options.folder), options };
    return {
      notes,
      run: async (command) => await runInside(inside, command),
      get: async (url) => await getInside(inside, url),
      [Symbol.asyncDispose]: async () => {
        await holder[Symbol.asyncDispose]();
        await group?.remove();
      },
    };
  } catch (error) {
    await group?.remove();
    throw error;
  }
}

async function entered({ path }: MemoryGroup, pid: number): Promise<boolean> {
  try {
    await writeFile(`${path}/cgroup.procs`, String(pid));
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false; // groups of others lie between
  }
}

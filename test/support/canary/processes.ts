import { readdirSync, readFileSync } from 'node:fs';
import { hasErrno } from '../errno.ts';

/** What everybody on the host (arguments) and its owner (environment) see of a program. */
export interface SeenProgram {
  readonly pid: number;
  readonly parent: number;
  readonly command: Buffer;
  readonly environment: Buffer;
}

/** A program and all below it, as they are now. */
export function treeBelow(root: number): readonly SeenProgram[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? seen(Number(name)) : []));
  const below = (pid: number): readonly SeenProgram[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}

function seen(pid: number): readonly SeenProgram[] {
  try {
    const read = (file: string): Buffer => readFileSync(`/proc/${pid}/${file}`);
    const parent = Number(/\) \S (\d+)/.exec(read('stat').toString('latin1'))?.[1]);
    return [{ pid, parent, command: read('cmdline'), environment: read('environ') }];
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].some((name) => hasErrno(error, name))) return []; // it ended, or is somebody else's
    throw error;
  }
}

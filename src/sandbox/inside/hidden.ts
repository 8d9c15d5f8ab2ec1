import { readFileSync } from 'node:fs';
import { errorCode } from '../../host/system-error.ts';
import { realOf } from './visible.ts';

/** Without these no program starts. */
const needed = ['bin', 'sbin', 'lib', 'lib64', 'usr/bin', 'usr/sbin', 'usr/lib', 'etc', 'dev', 'proc', 'sys', 'run'];

/**
 * What is covered inside: the paths that can be, then sockets that are bound anywhere. Where links lead to a path it is
 * covered by what it really is, too: the links may be covered themselves, and what is visible has it all the same.
 */
export async function coveredPaths(hidden: readonly string[]): Promise<readonly string[]> {
  const given = [...hidden.filter(canBeHidden), ...boundSockets()];
  const real = await Promise.all(given.map(realOf));
  return [...new Set([...given, ...real.filter((path) => path !== undefined).filter(canBeHidden)])];
}

function canBeHidden(path: string): boolean {
  const start = path.endsWith('/') ? path : `${path}/`;
  return !needed.some((one) => `/${one}/`.startsWith(start));
}

/** A socket answers through a read-only mount and from another network alike: each is covered by itself. */
function boundSockets(): readonly string[] {
  try {
    const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
    return [...new Set(lines.flatMap((line) => / (\/.*)$/.exec(line)?.[1] ?? []))];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

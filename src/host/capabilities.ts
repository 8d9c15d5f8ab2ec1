import { holesAreKnown } from './holes.ts';
import { specialNodesAreKept } from './mknod.ts';
import { timesAreExact } from './times.ts';
import { xattrsAreKept } from './xattr.ts';

/** What this host can't do for want of libc calls, in words for the summary: what is not preserved. */
export function missingFacilities(): readonly string[] {
  const facilities: readonly (readonly [boolean, string])[] = [
    [timesAreExact, 'times are set to the microsecond only'],
    [xattrsAreKept, 'extended attributes and ACLs are neither read nor restored'],
    [specialNodesAreKept, 'fifos and device nodes are not restored'],
    [holesAreKnown, 'holes in files are found by reading zeros'],
  ];
  return facilities.filter(([there]) => !there).map(([, words]) => words);
}

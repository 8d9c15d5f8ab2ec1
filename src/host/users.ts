import { readFileSync } from 'node:fs';
import { constants, hostname, userInfo } from 'node:os';
import { libcFunction, textBehind } from './libc.ts';
import { errorCode } from './system-error.ts';

/** Who runs this program. */
export interface CurrentUser {
  /** '' when the system has no name for it. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export function currentUser(): CurrentUser {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return { name: process.platform === 'win32' ? userInfo().username : userName(uid), uid, gid };
}

export function hostName(): string {
  return hostname();
}

/** Whether a process of this host is alive, be it another user's. */
export function processIsAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // kill would speak to whole groups
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

const lookUp = { return: 'i32', arguments: ['u32', 'buffer', 'buffer', 'u64', 'buffer'] } as const;
const userNames = new Map<number, string>();
const groupNames = new Map<number, string>();

/** The user's name as the system resolves it (directories included), '' when there is none. Asked once. */
export const userName = cached(userNames, nameFinder('getpwuid_r', '/etc/passwd'));

/** As `userName`, of a group. */
export const groupName = cached(groupNames, nameFinder('getgrgid_r', '/etc/group'));

function cached(names: Map<number, string>, find: (id: number) => string): (id: number) => string {
  return (id) => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const name = find(id);
    names.set(id, name);
    return name;
  };
}

/** By libc, and by the file where libc can't be called. */
function nameFinder(functionName: string, file: string): (id: number) => string {
  const call = libcFunction(functionName, lookUp);
  if (call === undefined) return (id) => nameInFile(file, id);
  return (id) => {
    const [entry, result] = [Buffer.alloc(256), Buffer.alloc(8)];
    for (let size = 4096; size <= MAX_ENTRY_BYTES; size *= 4) {
      const text = Buffer.alloc(size);
      const errno = call(id, entry, text, BigInt(size), result);
      // Both structs begin with the name; a NULL result means that there is no such entry.
      if (errno !== constants.errno.ERANGE) return result.readBigUInt64LE() === 0n ? '' : textBehind(entry, 0);
    }
    return '';
  };
}

/** A group's entry lists its members; one of this size has some 100,000. */
const MAX_ENTRY_BYTES = 1024 * 1024;

function nameInFile(file: string, id: number): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  const [name = ''] = lines.map((line) => line.split(':')).find((fields) => fields[2] === String(id)) ?? [];
  return name;
}

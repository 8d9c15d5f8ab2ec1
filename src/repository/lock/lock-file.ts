import { secondText } from '../../clock/date.ts';
import { countOf, parseFields, textOf } from '../../bytes/fields.ts';
import type { FileId } from '../../bytes/ids.ts';
import { parseGoTime } from '../../bytes/go-time.ts';
import { limiter } from '../../flow/limiter.ts';
import type { ListedFile, Repository } from '../repository.ts';
import { shortName } from '../layout.ts';
import { hasCode } from '../../errors/error.ts';

/** Who works on the repository: the fields of restic's lock files. */
export interface LockHolder {
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface LockFile extends LockHolder {
  readonly id: FileId;
  /** Taken or last refreshed, nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly exclusive: boolean;
}

const maxUint32 = 0xffffffff;
const locksReadAtOnce = 8;

export function encodeLock(lock: Omit<LockFile, 'id'>): Uint8Array {
  const { exclusive, hostname, username, pid, uid, gid } = lock;
  const time = Temporal.Instant.fromEpochNanoseconds(lock.timeNs).toString();
  return Buffer.from(
    JSON.stringify({ time, exclusive, hostname, username, pid, ...(uid && { uid }), ...(gid && { gid }) }),
  );
}

function decodeLock(plaintext: Uint8Array, id: FileId): LockFile {
  const name = shortName('locks', id);
  const fields = parseFields(plaintext, name);
  const count = (field: string): number => countOf(fields[field] ?? 0, maxUint32, `${name}: ${field}`);
  return {
    id,
    timeNs: parseGoTime(textOf(fields['time'], `${name}: time`)),
    exclusive: fields['exclusive'] === true,
    hostname: textOf(fields['hostname'] ?? '', `${name}: hostname`),
    username: textOf(fields['username'] ?? '', `${name}: username`),
    pid: count('pid'),
    uid: count('uid'),
    gid: count('gid'),
  };
}

/**
 * Lock files but those in `known`. One that can't be read is an Error; empty ones, which interrupted uploads leave
 * on some storages, are no locks.
 */
export async function readLocks(
  repository: Repository,
  known: ReadonlySet<FileId> = new Set(),
): Promise<readonly { readonly id: FileId; readonly lock: LockFile | Error }[]> {
  const listed = await Array.fromAsync(repository.list('locks'));
  const wanted = listed.filter(({ id, sizeBytes }) => sizeBytes > 0 && !known.has(id));
  const limited = limiter(locksReadAtOnce);
  const read = await Promise.all(wanted.map((file) => limited(() => readLock(repository, file))));
  return read.filter((each) => each !== undefined);
}

/** undefined when it went away since it was listed. */
async function readLock(
  repository: Repository,
  { id }: ListedFile,
): Promise<{ readonly id: FileId; readonly lock: LockFile | Error } | undefined> {
  try {
    return { id, lock: decodeLock(await repository.readFile('locks', id), id) };
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    if (error instanceof Error) return { id, lock: error };
    throw error;
  }
}

/** For people: who holds it, since when. */
export function describeLock(lock: LockFile): string {
  const { hostname, username, pid, uid, gid, exclusive } = lock;
  const since = secondText(lock.timeNs);
  const kind = exclusive ? 'exclusively ' : '';
  return `${kind}by process ${pid} on ${hostname} of ${username} (uid ${uid}, gid ${gid}) since ${since}, ${shortName('locks', lock.id)}`;
}

import type { BigIntStats } from 'node:fs';
import type { BootTime } from '../../../host/boot-time.ts';
import type { ParentFile } from '../../source.ts';
import type { Description, ReadingFacts } from '../description.ts';
import { parseLsn } from '../lsn.ts';

/** What stands now, to be held against what the parent was a backup of. */
export interface Now {
  readonly systemIdentifier: string;
  readonly version: string;
  readonly timeline: number;
  readonly dataChecksums: 'on' | 'off';
  readonly dataDirectory: string;
  readonly startLsn: bigint;
  /** By the clock of this host, and not later than by that of the file system. */
  readonly startedNs: bigint;
  readonly boot: BootTime | undefined;
}

/** What nobody sees by size and times, as a disk that lost a page, is seen once in so many backups. */
const readAllEvery = 10;

/**
 * Why no file can be taken over from the parent by its metadata; undefined where that is safe. Their metadata must mean
 * what they meant then: the same cluster, whose log only went on, on a host that ran on with its clock.
 */
export function whyReadAll(parent: Description | undefined, now: Now): string | undefined {
  const reading = parent?.reading;
  if (parent === undefined || reading === undefined) return 'the parent snapshot was not read on this host';
  if (parent.systemIdentifier !== now.systemIdentifier) return 'the system identifier is another';
  if (parent.version !== now.version) return 'the version of the server is another';
  if (parent.timeline !== now.timeline) return 'the timeline is another';
  if (parent.dataDirectory !== now.dataDirectory) return 'the data directory is another';
  if ((parent.dataChecksums === 'off') !== (now.dataChecksums === 'off')) return 'data checksums were switched';
  if (parent.dataChecksums === 'wrong') return 'the parent snapshot has wrong pages';
  if (parseLsn(parent.endLsn) > now.startLsn) return 'the log has gone back: the cluster was restored';
  return whyDistrusted(reading, now) ?? (reading.sinceAllRead + 1 >= readAllEvery ? 'it is time' : undefined);
}

function whyDistrusted(reading: ReadingFacts, { boot, startedNs }: Now): string | undefined {
  if (boot === undefined || boot.boot !== reading.boot) return 'the host was started since, or does not tell';
  if (Math.abs(boot.seconds - reading.bootSeconds) > 1) return 'the clock was set';
  return BigInt(reading.startedNs) > startedNs ? 'the clock went back' : undefined;
}

/** Coarse clocks of file systems, and what they round. */
const safelyNs = 2_000_000_000n;

/**
 * Whether a file is what it was when the parent read it. What was written shortly before that, or after, may have been
 * written once more without another time to show for it; a time that is still to come means nothing at all.
 */
export function isUnchanged(
  stat: BigIntStats,
  before: ParentFile,
  { parentStartedNs, startedNs }: { readonly parentStartedNs: bigint; readonly startedNs: bigint },
): boolean {
  return (
    Number(stat.size) === before.sizeBytes &&
    stat.mtimeNs === before.mtimeNs &&
    stat.ctimeNs === before.ctimeNs &&
    BigInt.asUintN(64, stat.ino) === before.inode &&
    BigInt.asUintN(64, stat.dev) === before.deviceId &&
    stat.mtimeNs <= parentStartedNs - safelyNs &&
    stat.mtimeNs <= startedNs
  );
}

/** How the next backup may trust this one. */
export function readingFacts(parent: Description | undefined, now: Now, read: 'all' | 'changed'): ReadingFacts {
  const { boot, startedNs } = now;
  const sinceAllRead = read === 'all' ? 0 : (parent?.reading?.sinceAllRead ?? 0) + 1;
  return { startedNs: String(startedNs), boot: boot?.boot ?? '', bootSeconds: boot?.seconds ?? 0, sinceAllRead };
}

import { goTime } from '../bytes/go-time.ts';
import { displayPath, type BlobId, type FileId, type RawPath } from '../bytes/ids.ts';
import { localZone } from '../clock/zone.ts';
import type { BackupCounts } from '../snapshot/snapshot.ts';
import { saveSnapshot, type SnapshotFiles } from '../snapshot/snapshots.ts';

/** What a snapshot says of its backup beside what was stored. */
export interface SnapshotFacts {
  /** Undefined: when the backup starts. */
  readonly timeNs?: bigint;
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly tags: readonly string[];
  /** For people; the source has its own. */
  readonly excludes: readonly string[];
  readonly programVersion: string;
}

export interface Stored {
  readonly tree: BlobId;
  readonly counts: BackupCounts;
  readonly parent?: FileId;
  readonly timeNs: bigint;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
}

/** The snapshot is there for every client when it resolves. */
export async function saveBackup(
  files: SnapshotFiles,
  facts: SnapshotFacts,
  paths: readonly RawPath[],
  { tree, counts, parent, timeNs, startedNs, endedNs }: Stored,
): Promise<FileId> {
  const { hostname, username, uid, gid, tags, excludes, programVersion } = facts;
  const zone = localZone();
  return await saveSnapshot(files, {
    time: goTime(timeNs, zone),
    ...(parent === undefined ? {} : { parent }),
    tree,
    paths: paths.map(displayPath),
    hostname,
    username,
    uid,
    gid,
    excludes,
    tags,
    programVersion,
    summary: { ...counts, backupStart: goTime(startedNs, zone), backupEnd: goTime(endedNs, zone), others: {} },
    others: {},
  });
}

import { countOf, fieldsExcept, textOf, type Fields } from '../../bytes/fields.ts';
import { goJsonValue } from '../../bytes/go-json.ts';

/** What a backup did, kept in its snapshot. */
export interface SnapshotSummary extends BackupCounts {
  /** RFC 3339 times. */
  readonly backupStart: string;
  readonly backupEnd: string;
  /** Members that only other programs know. */
  readonly others: Fields;
}

/** Sizes in bytes. */
export interface BackupCounts {
  readonly filesNew: number;
  readonly filesChanged: number;
  readonly filesUnmodified: number;
  readonly dirsNew: number;
  readonly dirsChanged: number;
  readonly dirsUnmodified: number;
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  /** Plaintext bytes of the new blobs. */
  readonly dataAdded: number;
  /** The bytes that they take in packs. */
  readonly dataAddedPacked: number;
  readonly totalFilesProcessed: number;
  readonly totalBytesProcessed: number;
}

export function decodeSummary(fields: Fields, what: string): SnapshotSummary {
  const count = (name: string): number => countOf(fields[name] ?? 0, Number.MAX_SAFE_INTEGER, `${what}: ${name}`);
  const counts: BackupCounts = {
    filesNew: count('files_new'),
    filesChanged: count('files_changed'),
    filesUnmodified: count('files_unmodified'),
    dirsNew: count('dirs_new'),
    dirsChanged: count('dirs_changed'),
    dirsUnmodified: count('dirs_unmodified'),
    dataBlobs: count('data_blobs'),
    treeBlobs: count('tree_blobs'),
    dataAdded: count('data_added'),
    dataAddedPacked: count('data_added_packed'),
    totalFilesProcessed: count('total_files_processed'),
    totalBytesProcessed: count('total_bytes_processed'),
  };
  const backupStart = textOf(fields['backup_start'] ?? '', what);
  const backupEnd = textOf(fields['backup_end'] ?? '', what);
  const known = Object.keys(countFields(counts));
  return { ...counts, backupStart, backupEnd, others: fieldsExcept(fields, 'backup_start', 'backup_end', ...known) };
}

export function encodeSummary(summary: SnapshotSummary): string {
  const { backupStart, backupEnd, others } = summary;
  return goJsonValue({ backup_start: backupStart, backup_end: backupEnd, ...countFields(summary), ...others });
}

/** The counts under restic's names, in its order. */
function countFields(summary: BackupCounts): Fields {
  return {
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    data_blobs: summary.dataBlobs,
    tree_blobs: summary.treeBlobs,
    data_added: summary.dataAdded,
    data_added_packed: summary.dataAddedPacked,
    total_files_processed: summary.totalFilesProcessed,
    total_bytes_processed: summary.totalBytesProcessed,
  };
}

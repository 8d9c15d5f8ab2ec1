import type { Note, Warning } from '../events/events.ts';
import type { BackupOutcome } from '../job/backup.ts';
import { archivePhase, type ArchivedNote } from '../snapshot/archive.ts';
import type { Context } from './context.ts';
import { hostLimits, limitLines } from './host-limits.ts';
import { formatBytes, formatSeconds, jsonTime, plural, quoteForTerminal } from './format.ts';
import { idle, nonZero, showProgress, type ProgressState, type ProgressView } from './progress.ts';

export interface BackupView extends ProgressView {
  finish(outcome: BackupOutcome): void;
}

/** A backup as people and scripts see it. */
export function backupView(context: Context, mode: 'store' | 'dry-run'): BackupView {
  const { console } = context;
  const view = showProgress(context, {
    status,
    onWarning: (warning) => complain(context, warning),
    onNote: (note) => (console.form === 'json' ? jsonNote(context, note) : textNote(context, note)),
  });
  return {
    listener: view.listener,
    get warnings() {
      return view.warnings;
    },
    finish: (outcome) => {
      view[Symbol.dispose]();
      if (console.form === 'json') console.record(summary(outcome, mode));
      else for (const line of [...report(outcome, mode), ...limitLines()]) console.say(line);
    },
    [Symbol.dispose]: () => view[Symbol.dispose](),
  };
}

/** restic leaves out what is zero. */
function status({ progress, elapsedMs, remainingMs, warnings }: ProgressState): unknown {
  // Before, it is the index that is read.
  const started = progress.phase === archivePhase;
  const { doneBytes, totalBytes = 0, doneItems, totalItems = 0, current = [] } = started ? progress : idle;
  return {
    message_type: 'status',
    ...nonZero('seconds_elapsed', Math.floor(elapsedMs / 1000)),
    ...nonZero('seconds_remaining', Math.floor((remainingMs ?? 0) / 1000)),
    percent_done: totalBytes > 0 ? doneBytes / totalBytes : 0,
    ...nonZero('total_files', totalItems),
    ...nonZero('files_done', doneItems),
    ...nonZero('total_bytes', totalBytes),
    ...nonZero('bytes_done', doneBytes),
    ...nonZero('error_count', warnings),
    ...(current.length > 0 ? { current_files: current } : {}),
  };
}

function complain({ console }: Context, { item, message, during }: Warning): void {
  const record = {
    message_type: 'error',
    error: { message },
    during: during === 'archive' ? 'archival' : during,
    item,
  };
  console.complain(`warning: ${quoteForTerminal(item)}: ${message}`, record);
}

const words = { new: 'new', changed: 'modified', unmodified: 'unchanged' } as const;

function isArchived(note: Note): note is ArchivedNote {
  return note.name === 'archived';
}

function jsonNote({ console }: Context, note: Note): void {
  if (note.name === 'full') console.record({ message_type: 'sent_whole', ...note.data });
  if (console.verbosity < 2) return;
  if (note.name === 'measured') {
    const { files, bytes, seconds } = note.data;
    console.record(
      verboseStatus({ action: 'scan_finished', item: '', duration: seconds, data_size: bytes, total_files: files }),
    );
  } else if (isArchived(note)) console.record(verboseStatus(archivedRecord(note)));
}

/** All members are always there, as in restic. */
function verboseStatus(record: Readonly<Record<string, unknown>>): unknown {
  const sizes = { data_size: 0, data_size_in_repo: 0, metadata_size: 0, metadata_size_in_repo: 0 };
  return { message_type: 'verbose_status', action: '', item: '', duration: 0, ...sizes, total_files: 0, ...record };
}

function archivedRecord({ data }: ArchivedNote): Readonly<Record<string, unknown>> {
  const { item, kind, change, seconds, added } = data;
  const action = words[change];
  if (change === 'unmodified') return { action, item };
  const [size, stored] =
    kind === 'file' ? ['data_size', 'data_size_in_repo'] : ['metadata_size', 'metadata_size_in_repo'];
  return { action, item, duration: seconds, [size]: added.plainBytes, [stored]: added.storedBytes };
}

function textNote({ console }: Context, note: Note): void {
  if (note.name === 'parent') {
    const { parent } = note.data;
    console.say(
      typeof parent === 'string'
        ? `using parent snapshot ${parent.slice(0, 8)}`
        : 'no parent snapshot: every file is read',
    );
  } else if (note.name === 'command-said') {
    console.complain(`${String(note.data['program'])}: ${String(note.data['line'])}`, undefined);
  } else if (note.name === 'full') {
    console.say(`all of it is sent: ${String(note.data['reason'])}`, 2);
  } else if (note.name === 'left-out') {
    console.say(`left out: ${String(note.data['item'])}: ${String(note.data['reason'])}`);
  } else if (note.name === 'measured') {
    console.say(`measured: ${String(note.data['files'])} files, ${formatBytes(Number(note.data['bytes']))}`, 2);
  } else if (isArchived(note)) console.say(archivedLine(note), 3);
}

function archivedLine({ data }: ArchivedNote): string {
  const { item, change, seconds, added } = data;
  const what = `${words[change].padEnd(9)} ${quoteForTerminal(item)}`;
  if (change === 'unmodified') return what;
  return `${what}, saved in ${seconds.toFixed(3)}s (${formatBytes(added.plainBytes)} added, ${formatBytes(added.storedBytes)} stored)`;
}

function summary(outcome: BackupOutcome, mode: 'store' | 'dry-run'): unknown {
  const { counts, startedNs, endedNs, snapshot, unread } = outcome;
  return {
    message_type: 'summary',
    files_new: counts.filesNew,
    files_changed: counts.filesChanged,
    files_unmodified: counts.filesUnmodified,
    dirs_new: counts.dirsNew,
    dirs_changed: counts.dirsChanged,
    dirs_unmodified: counts.dirsUnmodified,
    data_blobs: counts.dataBlobs,
    tree_blobs: counts.treeBlobs,
    data_added: counts.dataAdded,
    data_added_packed: counts.dataAddedPacked,
    total_files_processed: counts.totalFilesProcessed,
    total_bytes_processed: counts.totalBytesProcessed,
    total_duration: Number(endedNs - startedNs) / 1e9,
    backup_start: jsonTime(startedNs),
    backup_end: jsonTime(endedNs),
    ...(snapshot === undefined ? {} : { snapshot_id: snapshot }),
    ...(mode === 'dry-run' ? { dry_run: true } : {}),
    unread,
    ...(outcome.immutableUntilNs === undefined ? {} : { immutable_until: jsonTime(outcome.immutableUntilNs) }),
    ...hostLimits(),
  };
}

function report(outcome: BackupOutcome, mode: 'store' | 'dry-run'): readonly string[] {
  const { counts, startedNs, endedNs, snapshot, unread } = outcome;
  const seconds = Number(endedNs - startedNs) / 1e9;
  const number = (count: number): string => String(count).padStart(5);
  const rate = formatBytes(Math.round(counts.totalBytesProcessed / Math.max(seconds, 0.001)));
  return [
    '',
    `Files:       ${number(counts.filesNew)} new, ${number(counts.filesChanged)} changed, ${number(counts.filesUnmodified)} unmodified`,
    `Dirs:        ${number(counts.dirsNew)} new, ${number(counts.dirsChanged)} changed, ${number(counts.dirsUnmodified)} unmodified`,
    `${mode === 'store' ? 'Added' : 'Would add'} to the repository: ${formatBytes(counts.dataAdded)} (${formatBytes(counts.dataAddedPacked)} stored)`,
    '',
    `processed ${plural(counts.totalFilesProcessed, 'file')}, ${formatBytes(counts.totalBytesProcessed)} in ${formatSeconds(seconds)} (${rate}/s)`,
    ...(mode === 'dry-run' ? ['nothing was stored: this was a dry run'] : []),
    ...(mode === 'store'
      ? [snapshot === undefined ? 'nothing changed: no snapshot was written' : `snapshot ${snapshot.slice(0, 8)} saved`]
      : []),
    ...(outcome.immutableUntilNs === undefined ? [] : [`immutable until ${jsonTime(outcome.immutableUntilNs)}`]),
    ...(unread === 0 ? [] : [`the snapshot lacks what could not be read: ${plural(unread, 'warning')} above`]),
  ];
}

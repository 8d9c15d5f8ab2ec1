import { displayPath, type FileId } from '../bytes/ids.ts';
import type { CopyOutcome } from '../job/copy.ts';
import type { AffectedItem } from '../snapshot/check.ts';
import type { CopyPlan } from '../snapshot/copy.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Context } from './context.ts';
import { formatBytes, formatTime, jsonTime, plural, quoteForTerminal } from './format.ts';
import { nonZero, showProgress, type ProgressState, type ProgressView } from './progress.ts';

export interface CopyView extends ProgressView {
  readonly plan: (plan: CopyPlan) => void;
  readonly copied: (snapshot: Snapshot, id: FileId) => void;
  finish(outcome: CopyOutcome): void;
}

/** A copy as people and scripts see it: lines as restic's; of JSON it has none, so the records are our own. */
export function copyView(context: Context, mode: 'execute' | 'dry-run'): CopyView {
  const { console, clock } = context;
  const startedMs = clock.monotonicMs();
  let planned: CopyPlan | undefined;
  const view = showProgress(context, { status });
  return {
    listener: view.listener,
    get warnings() {
      return view.warnings;
    },
    plan: (plan) => {
      planned = plan;
      tellPlan(plan, mode, context);
    },
    copied: (snapshot, id) => {
      const record = { message_type: 'snapshot', action: 'copied', snapshot_id: id, source_snapshot_id: snapshot.id };
      if (console.form === 'json') console.record(record);
      else console.say(`snapshot ${short(id)} saved, copied from source snapshot ${short(snapshot.id)}`);
    },
    finish: (outcome) => {
      view[Symbol.dispose]();
      for (const line of lostLines(outcome.lost)) console.say(line, 0);
      const seconds = (clock.monotonicMs() - startedMs) / 1000;
      if (console.form === 'json') console.record(summary(outcome, planned, { mode, seconds }));
      else console.say(lastLine(outcome, planned, mode));
    },
    [Symbol.dispose]: () => view[Symbol.dispose](),
  };
}

function short(id: FileId): string {
  return id.slice(0, 8);
}

function status({ progress, elapsedMs, remainingMs }: ProgressState): unknown {
  const { phase, doneBytes, doneItems, totalBytes = 0, totalItems = 0 } = progress;
  return {
    message_type: 'status',
    phase,
    ...nonZero('seconds_elapsed', Math.floor(elapsedMs / 1000)),
    ...nonZero('seconds_remaining', Math.floor((remainingMs ?? 0) / 1000)),
    percent_done: totalBytes > 0 ? doneBytes / totalBytes : 0,
    ...nonZero('total_bytes', totalBytes),
    ...nonZero('bytes_done', doneBytes),
    ...nonZero('total_blobs', totalBytes > 0 ? totalItems : 0),
    ...nonZero('blobs_done', totalBytes > 0 ? doneItems : 0),
  };
}

function tellPlan({ batches, skipped, blobs, bytes, packs }: CopyPlan, mode: string, { console }: Context): void {
  for (const { snapshot, copiedAs } of skipped) {
    const record = {
      message_type: 'snapshot',
      action: 'skipped',
      snapshot_id: copiedAs,
      source_snapshot_id: snapshot.id,
    };
    if (console.form === 'json') console.record(record);
    const line = `skipping source snapshot ${short(snapshot.id)}, was already copied to snapshot ${short(copiedAs)}`;
    console.say(line, 2);
  }
  for (const snapshot of batches.flatMap(({ snapshots }) => snapshots)) {
    const record = { message_type: 'snapshot', action: 'to copy', source_snapshot_id: snapshot.id };
    if (console.form === 'json' && mode === 'dry-run') console.record(record);
    console.say(lineOf(snapshot));
  }
  console.say(
    `copy ${plural(blobs, 'blob')} with disk size ${formatBytes(bytes)} in ${plural(packs.size, 'packfile')}`,
    mode === 'dry-run' ? 1 : 2,
  );
}

function lineOf({ id, paths, timeNs, username, hostname }: Snapshot): string {
  const where = quoteForTerminal(`[${paths.join(' ')}]`);
  return `snapshot ${short(id)} of ${where} at ${formatTime(timeNs)} by ${quoteForTerminal(`${username}@${hostname}`)}`;
}

/** So many lines name what is lost; the rest is counted. */
const mostLines = 50;

function* lostLines(lost: readonly AffectedItem[]): Generator<string> {
  for (const { snapshot, path, type } of lost.slice(0, mostLines)) {
    const what = type === 'tree' ? 'folder' : 'file';
    yield `lost in the source: snapshot ${short(snapshot)}, ${what} ${quoteForTerminal(displayPath(path))}`;
  }
  if (lost.length > mostLines) yield `and ${lost.length - mostLines} more (--json names all)`;
}

function snapshotsIn(lost: readonly AffectedItem[]): ReadonlySet<FileId> {
  return new Set(lost.map(({ snapshot }) => snapshot));
}

function summary(
  { copied, lost, unreadable, blobs, storedBytes, immutableUntilNs }: CopyOutcome,
  plan: CopyPlan | undefined,
  { mode, seconds }: { readonly mode: string; readonly seconds: number },
): unknown {
  return {
    message_type: 'summary',
    dry_run: mode === 'dry-run',
    snapshots_to_copy: plan?.batches.reduce((sum, { snapshots }) => sum + snapshots.length, 0) ?? 0,
    snapshots_copied: copied,
    snapshots_skipped: plan?.skipped.length ?? 0,
    snapshots_not_whole: snapshotsIn(lost).size,
    snapshots_unreadable: unreadable,
    blobs_to_copy: plan?.blobs ?? 0,
    bytes_to_copy: plan?.bytes ?? 0,
    packs_to_read: plan?.packs.size ?? 0,
    blobs_stored: blobs,
    bytes_stored: storedBytes,
    lost: lost.map(({ snapshot, path, type }) => ({ source_snapshot_id: snapshot, path: displayPath(path), type })),
    total_duration: seconds,
    ...(immutableUntilNs === undefined ? {} : { immutable_until: jsonTime(immutableUntilNs) }),
  };
}

function lastLine(
  { copied, lost, unreadable, storedBytes, immutableUntilNs }: CopyOutcome,
  plan: CopyPlan | undefined,
  mode: string,
): string {
  if (mode === 'dry-run') return 'nothing was changed: this was a dry run';
  const left = snapshotsIn(lost).size + unreadable;
  return [
    `copied ${plural(copied, 'snapshot')} (${formatBytes(storedBytes)} stored)`,
    ...(immutableUntilNs === undefined ? [] : [`immutable until ${jsonTime(immutableUntilNs)}`]),
    `${plan?.skipped.length ?? 0} there already`,
    ...(left > 0 ? [`${left} NOT COPIED`] : []),
  ].join(', ');
}

import type { Note, Warning } from '../events/events.ts';
import { restorePhase, type RestoreOutcome } from '../snapshot/restore.ts';
import type { Context } from './context.ts';
import { hostLimits, limitLines } from './host-limits.ts';
import { formatBytes, formatSeconds, plural, quoteForTerminal } from './format.ts';
import { nonZero, showProgress, type ProgressState, type ProgressView } from './progress.ts';

export interface RestoreView extends ProgressView {
  finish(outcome: RestoreOutcome): void;
}

/** A restore as people and scripts see it. */
export function restoreView(context: Context, mode: 'write' | 'dry-run'): RestoreView {
  const { console, clock } = context;
  const startedMs = clock.monotonicMs();
  const left = new Left();
  const view = showProgress(context, {
    status: (state) => status(state, left),
    onWarning: (warning) => complain(context, warning),
    onNote: (note) => {
      left.note(note);
      tell(context, note);
    },
  });
  return {
    listener: view.listener,
    get warnings() {
      return view.warnings;
    },
    finish: (outcome) => {
      view[Symbol.dispose]();
      const seconds = (clock.monotonicMs() - startedMs) / 1000;
      if (console.form === 'json') console.record(summary(outcome, seconds));
      else for (const line of [...report(outcome, seconds, mode), ...limitLines()]) console.say(line);
    },
    [Symbol.dispose]: () => view[Symbol.dispose](),
  };
}

/** What was left as it was, or removed: restic counts it neither as done nor into the totals. */
class Left {
  skippedItems = 0;
  skippedBytes = 0;
  deletedItems = 0;

  note({ name, data }: Note): void {
    if (name === 'deleted') this.deletedItems += 1;
    if (name !== 'unchanged') return;
    this.skippedItems += 1;
    this.skippedBytes += Number(data['sizeBytes']);
  }
}

function status({ progress, elapsedMs }: ProgressState, { skippedItems, skippedBytes, deletedItems }: Left): unknown {
  const { phase, totalBytes = 0, totalItems = 0 } = progress;
  const started = phase === restorePhase;
  const doneBytes = started ? progress.doneBytes - skippedBytes : 0;
  const doneItems = started ? progress.doneItems - skippedItems : 0;
  const [bytes, items] = started ? [totalBytes - skippedBytes, totalItems - skippedItems] : [0, 0];
  return {
    message_type: 'status',
    ...nonZero('seconds_elapsed', Math.floor(elapsedMs / 1000)),
    percent_done: bytes > 0 ? doneBytes / bytes : 0,
    ...nonZero('total_files', items),
    ...nonZero('files_restored', doneItems),
    ...nonZero('files_skipped', skippedItems),
    ...nonZero('files_deleted', deletedItems),
    ...nonZero('total_bytes', bytes),
    ...nonZero('bytes_restored', doneBytes),
    ...nonZero('bytes_skipped', skippedBytes),
  };
}

function complain({ console }: Context, { item, message, during }: Warning): void {
  const record = { message_type: 'error', error: { message }, during, item };
  console.complain(`warning: ${quoteForTerminal(item)}: ${message}`, record);
}

const actions: ReadonlySet<string> = new Set(['restored', 'updated', 'unchanged', 'deleted']);

function tell({ console }: Context, { name, data }: Note): void {
  if (!actions.has(name) || console.verbosity < 3) return;
  const item = String(data['item']);
  const size = Number(data['sizeBytes']);
  if (console.form === 'json') console.record({ message_type: 'verbose_status', action: name, item, size });
  else
    console.say(`${name.padEnd(9)} ${quoteForTerminal(item)}${size > 0 ? ` with size ${formatBytes(size)}` : ''}`, 3);
}

function summary(outcome: RestoreOutcome, seconds: number): unknown {
  return {
    message_type: 'summary',
    ...nonZero('seconds_elapsed', Math.floor(seconds)),
    ...nonZero('total_files', outcome.totalItems - outcome.skippedItems),
    ...nonZero('files_restored', outcome.restoredItems),
    ...nonZero('files_skipped', outcome.skippedItems),
    ...nonZero('files_deleted', outcome.deletedItems),
    ...nonZero('total_bytes', outcome.totalBytes - outcome.skippedBytes),
    ...nonZero('bytes_restored', outcome.restoredBytes),
    ...nonZero('bytes_skipped', outcome.skippedBytes),
    ...nonZero('failures', outcome.failures),
    ...nonZero('verified_files', outcome.verifiedFiles ?? 0),
    not_preserved: Object.fromEntries(outcome.notPreserved),
    ...hostLimits(),
  };
}

function report(outcome: RestoreOutcome, seconds: number, mode: 'write' | 'dry-run'): readonly string[] {
  const { restoredItems, totalItems, restoredBytes, totalBytes, skippedItems, skippedBytes, deletedItems } = outcome;
  const rate = formatBytes(Math.round(restoredBytes / Math.max(seconds, 0.001)));
  return [
    `${mode === 'write' ? 'restored' : 'would restore'} ${restoredItems} of ${plural(totalItems, 'item')} (${formatBytes(restoredBytes)} of ${formatBytes(totalBytes)}) in ${formatSeconds(seconds)}${mode === 'write' ? `, ${rate}/s` : ''}`,
    ...(skippedItems > 0 ? [`left ${plural(skippedItems, 'item')} (${formatBytes(skippedBytes)}) as they were`] : []),
    ...(deletedItems > 0 ? [`${mode === 'write' ? 'removed' : 'would remove'} ${plural(deletedItems, 'item')}`] : []),
    ...(outcome.verifiedFiles === undefined
      ? []
      : [`read back and found right: ${plural(outcome.verifiedFiles, 'file')}`]),
    ...[...outcome.notPreserved].map(([what, count]) => `not preserved: ${what} of ${plural(count, 'item')}`),
    ...(outcome.failures > 0 ? [`not restored, or not whole: ${plural(outcome.failures, 'item')}, told above`] : []),
  ];
}

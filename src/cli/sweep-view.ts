import type { PruneJobOutcome } from '../job/prune.ts';
import type { SizedPacks, SweepPlan } from '../repository/prune.ts';
import type { Console } from './console.ts';
import { formatBytes, formatTime, jsonTime, plural } from './format.ts';

/** What becomes of packs that earlier prunes marked. */
export function showSweep(plan: SweepPlan, console: Console): void {
  if (console.form === 'json') console.record(sweepRecord(plan));
  else for (const line of sweepLines(plan)) console.say(line);
}

function sweepRecord({ remove, drop, recover, unmark, waiting, unreadable }: SweepPlan): unknown {
  return {
    message_type: 'sweep',
    remove: counted(remove),
    drop: counted(drop),
    recover: counted(recover),
    unmark: counted(unmark),
    waiting: counted(waiting),
    unreadable_journals: unreadable.map(({ name, error }) => ({ name, code: error.code, message: error.message })),
  };
}

function sweepLines({ remove, drop, recover, unmark, waiting }: SweepPlan): readonly string[] {
  const rows: readonly (readonly [SizedPacks, string])[] = [
    [remove, 'put off earlier, not needed for a day: deleted'],
    [drop, 'put off earlier, not needed: dropped from the index'],
    [recover, 'put off earlier, needed since: taken back into the index'],
    [unmark, 'put off earlier, needed since: kept'],
    [waiting, 'put off earlier, not a day ago: left for now'],
  ];
  return rows.filter(([packs]) => packs.size > 0).map(([packs, what]) => `${amount(packs)} ${what}`);
}

/** What came of a prune, beyond its plan; nothing where that is all. */
export function showPruned(outcome: PruneJobOutcome, console: Console): void {
  const { removedPacks, keptPacks, leaving, sweep } = outcome;
  if (removedPacks + keptPacks + leaving.packs === 0 && sweep === 'done') return;
  if (console.form === 'json') console.record(outcomeRecord(outcome));
  else for (const line of outcomeLines(outcome)) console.say(line);
}

function outcomeRecord({ removedPacks, removedBytes, keptPacks, leaving, sweep }: PruneJobOutcome): unknown {
  const { packs, bytes, returnsNs } = leaving;
  return {
    message_type: 'space',
    swept: { packs: removedPacks, bytes: removedBytes },
    kept_packs: keptPacks,
    leaving: { packs, bytes },
    ...(returnsNs === undefined ? {} : { returns_at: jsonTime(returnsNs) }),
    sweep_put_off: sweep === 'put-off',
  };
}

function outcomeLines(outcome: PruneJobOutcome): readonly string[] {
  const { removedPacks, removedBytes, keptPacks, leaving, sweep, heldBack } = outcome;
  const { packs, bytes, returnsNs } = leaving;
  const how = heldBack ? 'hidden' : 'deleted';
  const returns =
    returnsNs === undefined
      ? 'others are at work: the next prune goes on with them, and the one a day after that deletes them'
      : `a prune after ${formatTime(returnsNs)} deletes them`;
  return [
    ...(removedPacks > 0
      ? [`${plural(removedPacks, 'pack')} put off earlier, ${formatBytes(removedBytes)}, ${how}`]
      : []),
    ...(keptPacks > 0 ? [`${plural(keptPacks, 'pack')} could not be removed: the next prune tries again`] : []),
    ...(sweep === 'put-off' ? ['others are at work: what earlier prunes have put off is left to the next one'] : []),
    ...(packs > 0 ? [`${plural(packs, 'pack')}, ${formatBytes(bytes)}, not needed any more: ${returns}`] : []),
  ];
}

/** 3: done in part. */
export function pruneExitCode({ keptPacks, sweep }: PruneJobOutcome): number {
  return keptPacks === 0 && sweep === 'done' ? 0 : 3;
}

function counted(packs: SizedPacks): { readonly packs: number; readonly bytes: number } {
  return { packs: packs.size, bytes: packs.values().reduce((sum, bytes) => sum + bytes, 0) };
}

function amount(packs: SizedPacks): string {
  const { bytes } = counted(packs);
  return `${plural(packs.size, 'pack')}, ${formatBytes(bytes)},`;
}

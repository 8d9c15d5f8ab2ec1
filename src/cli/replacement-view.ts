import type { Plan } from '../plan/plan.ts';
import { afterwardsOf, type PlannedReplacement } from '../recovery/in-place-moment.ts';
import type { Context } from './context.ts';
import { surroundings } from './expected-view.ts';
import { formatBytes, quoteForTerminal } from './format.ts';
import { showPlannedMoment } from './components/restore-moment.ts';

/** What is replaced by what, before anything is touched. */
export function showReplacement(replacement: PlannedReplacement, context: Context): void {
  const { console } = context;
  const { moment, place, way, neededBytes, disks, afterwards } = replacement;
  if (moment !== undefined) showPlannedMoment(moment, context, surroundings);
  if (console.form === 'json') {
    const needed_bytes = neededBytes ?? null;
    const each = disks.map(({ folder, bytes, freeBytes }) => ({ folder, needed_bytes: bytes, free_bytes: freeBytes }));
    return console.record({
      message_type: 'replacement',
      place,
      undo: way === 'beside',
      needed_bytes,
      disks: each,
      afterwards,
    });
  }
  if (moment === undefined) console.say('no log leads on from the backup: it comes back up to its own end');
  const kept =
    way === 'beside'
      ? `replaced: ${place}, which is kept until it is confirmed`
      : `overwritten: ${place}, of which nothing is kept: there is no undo`;
  console.say(quoteForTerminal(kept), 0);
  const beside = way === 'beside' ? 'beside what is kept' : 'more than what stands there takes';
  if (neededBytes !== undefined) console.say(`disk: at most ${formatBytes(neededBytes)} ${beside}`);
  for (const { folder, bytes, freeBytes } of disks.slice(1))
    console.say(
      quoteForTerminal(`disk of ${folder}: ${formatBytes(bytes)} too, of ${formatBytes(freeBytes)} that are free`),
    );
}

/** What is left to a person, once it stands. */
export function showAfterwards(plan: Plan, { console }: Context): void {
  if (console.form === 'json') return;
  for (const line of afterwardsOf(plan)) console.say(quoteForTerminal(`afterwards: ${line}`), 0);
}

/** How far the log was replayed. */
export function showReached(data: Readonly<Record<string, unknown>>, { console }: Context): void {
  const { stopped, position, lastCommit, epoch, seconds } = data;
  if (console.form === 'json') {
    const told = { stopped, position: position ?? null, last_commit: lastCommit ?? null, timeline: epoch ?? null };
    return console.record({ message_type: 'replay', state: 'recovered', ...told, seconds });
  }
  const said = (words: string, value: unknown): readonly string[] =>
    typeof value === 'string' || typeof value === 'number' ? [`${words} ${value}`] : [];
  const parts = [
    ...said('replayed:', stopped),
    ...said('the last record is at', position),
    ...said('the last transaction ended at', lastCommit),
    ...said('it goes on as timeline', epoch),
  ];
  console.say(quoteForTerminal(parts.join('; ')));
}

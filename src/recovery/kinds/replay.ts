import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { findReplacement } from '../../job/find-replacement.ts';
import type { MomentWanted, PlannedMoment } from '../../job/find-moment.ts';
import type { ComponentContext } from '../../job/component.ts';
import { syncFileSystem } from '../../host/sync.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import type { Replayed } from '../../source/recovery.ts';
import { syncFolder } from '../../host/lasting.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import { momentOf, replacementOf } from './replacement.ts';
import { removeFresh, restoreBeside } from './restore-moment.ts';

/**
 * Brings what was restored beside its place to the moment, and makes it ready to stand there: `arguments` as of
 * `replacementOf`, and the moment (moment-form.ts). What a kill leaves of a replay is restored again first.
 */
export function replaying(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (existsSync(replacementOf(context, call).replayed) ? 'done' : 'not done'),
    run: async (call) => await run(context, call),
  };
}

/** All that was committed may be where nobody could ask, what was rescued just before included. */
export function assertAllAsked(
  component: string,
  { moment }: Pick<MomentWanted, 'moment'>,
  unasked: readonly string[],
): void {
  if (moment.kind !== 'latest' || unasked.length === 0) return;
  throw new HoldfastError(
    'refused',
    `${component}: ${unasked.join(', ')} can’t be asked, and may hold the newest log`,
    {
      next: 'Run the command again when they answer, or name a moment (`--at`, `--lsn`). What never will is to be taken out of `log:` in the policy.',
    },
  );
}

async function run(context: ComponentContext, call: StepCall): Promise<void> {
  const replacement = replacementOf(context, call);
  const { component, driver, places, others, folder, key, replayed } = replacement;
  const begun = join(places.root, 'replaying');
  if (existsSync(begun)) {
    await removeFresh(replacement);
    await restoreBeside(context, call);
  }
  await writeWhole(begun, '');
  await using closing = new AsyncDisposableStack();
  const { signal } = call;
  const wanted = momentOf(call, component);
  const { replay, planned } = await findReplacement({ ...context, signal }, wanted, closing);
  assertAllAsked(component, wanted, planned?.unasked ?? []);
  const done = await driver.replay({ ...replay, folder, as: 'the original' });
  tellReplayed(context, component, { done, planned });
  await driver.inPlace.adopt(folder, { place: places.live, others }, signal);
  for (const { places: own } of others) await writeWhole(own.mark, inodeAt(own.restored) ?? '');
  const own = join(places.restored, driver.inPlace.key);
  if (existsSync(own)) await rename(own, key.fresh);
  await syncFolder(dirname(own));
  // Settings were copied, links made: they survive a power cut as this word does.
  await syncFileSystem(places.restored, signal);
  await writeWhole(replayed, '');
}

/** How far it came; 'unsupported' where nothing replayed it. */
export function tellReplayed(
  { listener }: Pick<ComponentContext, 'listener'>,
  component: string,
  { done, planned }: { readonly done: Replayed; readonly planned: PlannedMoment | undefined },
): void {
  if (done.state !== 'recovered') throw new HoldfastError('unsupported', `${component}: ${done.reason}`);
  const data = { ...done, position: done.position && planned?.positionText(done.position) };
  listener({ kind: 'note', name: 'replayed', data });
}

import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { textOf } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { syncFileSystem } from '../../host/sync.ts';
import { findBase, restoreDescription } from '../../job/find-replacement.ts';
import { restoreOver, type OverOptions } from '../../job/restore-over.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import type { Base } from '../../point/moment.ts';
import type { OverExtent } from '../../source/in-place.ts';
import { syncFolder } from '../../host/lasting.ts';
import { writeWhole } from './durable.ts';
import { clearOver, extentIn, isBegun, overStateOf, writeExtent } from './half-over.ts';
import { removeKey } from './move-key.ts';
import { assertFoldersThere, haveFolders } from './over-folders.ts';
import { haveOwnRoot } from './own-root.ts';
import { replacementOf, type Replacement } from './replacement.ts';

/**
 * Restores the backup that a replay begins with over what is live, all but what nothing starts without: `arguments` as of
 * `replacementOf`, `over` 'yes', and {point}. Nothing of what was there is kept; done again it compares all by content.
 */
export function restoringOver(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (isOf(overAt(replacementOf(context, call)), call) ? 'done' : 'not done'),
    run: async (call) => {
      const replacement = replacementOf(context, call);
      await overwrite(context, call, replacement);
      await writeWhole(overAt(replacement), call.hash);
    },
    isPastReturn: async (call) => isBegun(replacementOf(context, call).places),
    confirm: async (call) => {
      const { places } = replacementOf(context, call);
      await clearOver(places);
      await syncFolder(dirname(places.root));
    },
  };
}

/** Whether something was done for this very plan. */
export function isOf(path: string, { hash }: StepCall): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === hash;
}

function overAt({ places }: Replacement): string {
  return join(places.root, 'over');
}

export async function overwrite(context: ComponentContext, call: StepCall, replacement: Replacement): Promise<void> {
  const { component, driver, places, others, folder, key } = replacement;
  const { signal } = call;
  assertNoOther(replacement);
  if (extentIn(places) === undefined) await driver.inPlace.assertStopped(places.live);
  else await driver.inPlace.over.settle(places.live, { ...context, signal });
  // Before what is in the place is listed: where it stands in there, it is none of what makes way.
  haveOwnRoot(places.root);
  const { base, found, options } = await overOf({ ...context, signal }, call, replacement);
  if (!isBegun(places) && existsSync(key.live)) throw cameMeanwhile(replacement);
  await haveFolders(places, options.parts);
  // Before anything is begun there is none to remove, and a link in its way can still be turned back from.
  for (const path of [key.live, key.fresh]) removeKey(path);
  if (extentIn(places) === undefined) await writeExtent(places, found);
  const { failures } = await restoreOver({ ...context, signal }, base, options);
  if (failures > 0) throw new HoldfastError('refused', `${failures} items of ${component} could not be restored`);
  await restoreDescription({ ...context, signal }, { component, base, driver }, places.fresh);
  await leadTo(places.restored, places.live);
  await driver.inPlace.over.prepare(folder, { place: places.live, others });
  for (const { to } of options.parts) await syncFileSystem(to, signal);
}

/** What was put there since this began is nothing that this is about. */
function assertNoOther(replacement: Replacement): void {
  const { places, driver } = replacement;
  if (overStateOf(places, driver.inPlace.over) === 'ended') throw cameMeanwhile(replacement);
}

function cameMeanwhile({ component, places }: Replacement): HoldfastError {
  return new HoldfastError('refused', `${component}: something else came to ${places.live} meanwhile`, {
    next: 'Give this plan up by `holdfast undo`, or move that away. Nothing was changed.',
  });
}

/** What is written where: the place by what was there before the first attempt, all else by this very plan. */
export async function overOf(
  context: ComponentContext,
  { step }: StepCall,
  { component, driver, places, others }: Replacement,
): Promise<{ readonly base: Base; readonly found: OverExtent; readonly options: OverOptions }> {
  const { inPlace } = driver;
  const base = await findBase(context, component, textOf(step.arguments['point'], step.key));
  const found = extentIn(places) ?? (await inPlace.over.extent({ place: places.live, others }));
  const extent = await inPlace.over.withOthers(found, others);
  assertFoldersThere(places, extent.parts);
  const onCopy: OverOptions['onCopy'] = ({ identity }, { repository }) =>
    context.listener({ kind: 'note', name: 'copy-chosen', data: { point: identity, repository } });
  return { base, found, options: { ...extent, within: inPlace.within, key: inPlace.key, onCopy } };
}

/** Where a replay looks for it. */
async function leadTo(link: string, place: string): Promise<void> {
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) await symlink(place, link);
}

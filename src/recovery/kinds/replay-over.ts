import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { syncFileSystem } from '../../host/sync.ts';
import { findReplacement } from '../../job/find-replacement.ts';
import { restoreKey } from '../../job/restore-over.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { writeWhole } from './durable.ts';
import { moveKey } from './move-key.ts';
import { assertAllAsked, tellReplayed } from './replay.ts';
import { momentOf, replacementOf } from './replacement.ts';
import { isOf, overOf, overwrite } from './restore-over.ts';

/**
 * Brings what was restored over its place to the moment, there, and makes it ready but for what nothing starts without:
 * `arguments` as of `replacementOf`, `over` 'yes', {point} and the moment. What a kill leaves of it is restored over again first.
 */
export function replayingOver(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (isOf(replacementOf(context, call).replayed, call) ? 'done' : 'not done'),
    run: async (call) => await run(context, call),
  };
}

async function run(context: ComponentContext, call: StepCall): Promise<void> {
  const replacement = replacementOf(context, call);
  const { component, driver, places, folder, key, replayed } = replacement;
  const { signal } = call;
  const begun = join(places.root, 'replaying');
  if (existsSync(begun)) await overwrite(context, call, replacement);
  await writeWhole(begun, '');
  await using closing = new AsyncDisposableStack();
  const wanted = momentOf(call, component);
  const { replay, planned } = await findReplacement({ ...context, signal }, wanted, closing);
  assertAllAsked(component, wanted, planned?.unasked ?? []);
  const { base, options } = await overOf({ ...context, signal }, call, replacement);
  const { failures } = await restoreKey({ ...context, signal }, base, options);
  if (failures > 0) throw new HoldfastError('refused', `${key.live} could not be restored`);
  const done = await driver.replay({ ...replay, folder, as: 'in its place', place: places.live });
  tellReplayed(context, component, { done, planned });
  moveKey(key.live, key.fresh);
  await driver.inPlace.over.finish(folder, places.live);
  await syncFileSystem(places.live, signal);
  await writeWhole(replayed, call.hash);
}

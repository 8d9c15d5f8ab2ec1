import { existsSync } from 'node:fs';
import { rawPathOf } from '../../bytes/ids.ts';
import { textOf } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { findBase, whole } from '../../job/find-replacement.ts';
import type { ComponentContext } from '../../job/component.ts';
import { restorePoint } from '../../job/component-restore.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import { haveOwnRoot } from './own-root.ts';
import { removeOwn } from './removal.ts';
import { replacementOf, type Replacement } from './replacement.ts';

/** Restores the backup that a replay begins with beside its place: `arguments` as of `replacementOf`, and {point}. */
export function restoringMoment(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (existsSync(replacementOf(context, call).places.mark) ? 'done' : 'not done'),
    run: async (call) => await restoreBeside(context, call),
    undo: async (call) => {
      const { key, places, others } = replacementOf(context, call);
      const kept = [key.old, ...[places, ...others.map((one) => one.places)].map((one) => one.kept)].find(existsSync);
      if (kept !== undefined) throw new HoldfastError('refused', `${kept} was not brought back, and is not removed`);
      for (const { root } of [...others.map((one) => one.places), places]) await removeOwn(root);
    },
  };
}

/** Whole or not at all: what has no mark is restored again. */
export async function restoreBeside(context: ComponentContext, call: StepCall): Promise<void> {
  const replacement = replacementOf(context, call);
  const { component, driver, places, others, folder } = replacement;
  const { signal } = call;
  // What was moved elsewhere by an attempt before can't be gone on with.
  if (others.some((one) => existsSync(one.places.fresh))) await removeFresh(replacement);
  for (const { root } of [places, ...others.map((one) => one.places)]) haveOwnRoot(root);
  const point = await findBase(context, component, textOf(call.step.arguments['point'], call.step.key));
  const moved = others.map((one) => ({ from: one.from, to: one.places.fresh }));
  const { failures } = await restorePoint({ ...context, signal }, point, {
    component,
    target: rawPathOf(places.fresh),
    restore: whole,
    onCopy: ({ identity }, { repository }) =>
      context.listener({ kind: 'note', name: 'copy-chosen', data: { point: identity, repository } }),
    ready: async () => await driver.prepare({ folder, moved, signal }),
  });
  if (failures > 0) throw new HoldfastError('refused', `${failures} items of ${component} could not be restored`);
  const inode = inodeAt(places.restored);
  if (inode === undefined) throw new HoldfastError('refused', `the point doesn’t hold ${places.restored}`);
  await writeWhole(places.mark, inode);
}

export async function removeFresh({ places, others }: Replacement): Promise<void> {
  for (const { mark, fresh } of [places, ...others.map((one) => one.places)]) {
    await removeOwn(mark);
    await removeOwn(fresh);
  }
}

import { lstatSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { rawPathOf, type RawPath } from '../../bytes/ids.ts';
import { textOf } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { restoreComponent } from '../../job/component-restore.ts';
import type { ComponentContext } from '../../job/component.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import type { RestoreOptions, Select } from '../../snapshot/restore.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import { placesOf } from './places.ts';
import { removeOwn } from './removal.ts';

/** Restores one path of a component beside its place: `arguments` {path, slot, component, point}. */
export function restoring(context: ComponentContext): StepKind {
  return {
    isDone: async (call) => (isThere(placesOf(call).mark) ? 'done' : 'not done'),
    run: async (call) => await run(context, call),
    undo: async (call) => {
      const { root, kept } = placesOf(call);
      if (isThere(kept)) throw new HoldfastError('refused', `${kept} was not brought back, and is not removed`);
      await removeOwn(root);
    },
  };
}

async function run(context: ComponentContext, call: StepCall): Promise<void> {
  const { root, fresh, restored, mark, live } = placesOf(call);
  const { component, point } = call.step.arguments;
  await mkdir(root, { recursive: true, mode: 0o700 });
  const outcome = await restoreComponent(
    { ...context, signal: call.signal },
    {
      component: textOf(component, call.step.key),
      identity: textOf(point, call.step.key),
      target: rawPathOf(fresh),
      restore: optionsFor(rawPathOf(live)),
      asked: {},
      onCopy: ({ identity }, { repository }) =>
        context.listener({ kind: 'note', name: 'copy-chosen', data: { point: identity, repository } }),
    },
  );
  if (outcome.failures > 0)
    throw new HoldfastError('refused', `${outcome.failures} items below ${live} could not be restored`);
  const inode = inodeAt(restored);
  if (inode === undefined) throw new HoldfastError('refused', `the point doesn’t hold ${live}`);
  // Whole or not at all: what has no mark is restored again.
  await writeWhole(mark, inode);
}

function optionsFor(path: RawPath): RestoreOptions {
  return {
    overwrite: 'always',
    select: only(path),
    extras: 'delete',
    mode: 'write',
    holes: 'dense',
    verify: 'read-back',
    selectXattr: 'all',
  };
}

function only(path: RawPath): Select {
  return (location, type) => {
    const selected = location === path || location.startsWith(`${path}/`);
    const isAbove = location === '/' || path.startsWith(`${location}/`);
    return { selected, childrenMayBe: type === 'directory' && (selected || isAbove) };
  };
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

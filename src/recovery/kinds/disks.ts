import { fieldsOf, listOf, textOf, type Fields } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';
import { mountPointOf } from '../../host/mount-point.ts';
import type { Step, StepKind } from '../../plan/plan.ts';

/**
 * As arguments of steps: on which disk each of these folders is, by where that is mounted. Its number is no part of it: that may be
 * another after a start of the host. One that isn’t there yet is on none.
 */
export function disksUnder(folders: readonly string[]): Fields {
  return { on: folders.map((folder) => ({ folder, mount: mountPointOf(folder) ?? '' })) };
}

/** Where a disk of the plan isn't mounted any more nothing of the plan is done: it would be beneath. */
export function onItsDisks(kind: StepKind): StepKind {
  return { ...kind, assertThere: assertMounted };
}

/** 'refused', by name. A plan of an earlier version says nothing of its disks. */
function assertMounted({ arguments: { on = [] }, key }: Step): void {
  for (const one of listOf(on, key)) {
    const { folder, mount } = fieldsOf(one, key);
    const [path, was] = [textOf(folder, key), textOf(mount, key)];
    if (was === '' || mountPointOf(path) === was) continue;
    throw new HoldfastError('refused', `${path} was on the disk mounted at ${was} when this was planned, and is not`, {
      next: 'Mount it as it was, and run the command again.',
    });
  }
}

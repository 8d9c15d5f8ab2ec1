import { rm } from 'node:fs/promises';
import { HoldfastError } from '../../errors/error.ts';
import { mountPointsBelow } from '../../host/mount-point.ts';

/** 'refused' where something is mounted below a folder: it would be moved along, and be emptied with it. */
export function assertNothingMounted(folder: string): void {
  const [within] = mountPointsBelow(folder);
  if (within === undefined) return;
  throw new HoldfastError('refused', `something is mounted at ${within}, below ${folder}`, {
    next: 'Unmount it, and run the command again. Nothing was removed.',
  });
}

/** Removes a folder of a plan's own, with all that it keeps. What was mounted there since is not the plan's. */
export async function removeOwn(folder: string): Promise<void> {
  assertNothingMounted(folder);
  await rm(folder, { recursive: true, force: true });
}

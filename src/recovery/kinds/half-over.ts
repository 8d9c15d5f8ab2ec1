import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../errors/error.ts';
import { reasonOf } from '../../host/system-error.ts';
import type { OverDriver, OverExtent } from '../../source/in-place.ts';
import { syncFolder } from '../../host/lasting.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import { assertOwnRoot, openOwnRoot } from './own-root.ts';
import type { Places } from './places.ts';
import { removeOwn } from './removal.ts';

const form = z.strictObject({
  parts: z.array(z.strictObject({ from: z.string(), to: z.string() })),
  keeps: z.array(z.string()),
  /** Of what was overwritten. */
  inode: z.string(),
});

/**
 * 'half over': what is live is neither what it was nor what it is to be; 'ended': it was brought to an end, or what stands
 * there now is something else, which nothing that was noted is about.
 */
export type OverState = 'untouched' | 'half over' | 'ended';

export function overStateOf(
  { root, live }: Pick<Places, 'root' | 'live'>,
  { isWhole }: Pick<OverDriver, 'isWhole'>,
): OverState {
  using own = openOwnRoot(root);
  if (own?.has('taken') === true) return 'ended';
  const noted = notedIn(root);
  if (noted === undefined) return 'untouched';
  return noted.inode === inodeAt(live) && !isWhole(live) ? 'half over' : 'ended';
}

/** Whether something was overwritten, which nothing takes back. */
export function isBegun({ root }: Pick<Places, 'root'>): boolean {
  using own = openOwnRoot(root);
  return own?.has('extent') === true;
}

/** As it was before anything was overwritten; undefined before that. */
export function extentIn({ root }: Pick<Places, 'root'>): OverExtent | undefined {
  return notedIn(root);
}

function notedIn(root: string): z.infer<typeof form> | undefined {
  using own = openOwnRoot(root);
  const text = own?.text('extent');
  if (text === undefined) return undefined;
  try {
    return form.parse(JSON.parse(text));
  } catch (error) {
    const path = join(root, 'extent');
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** From now on what is live is half over. */
export async function writeExtent(
  { root, live }: Pick<Places, 'root' | 'live'>,
  { parts, keeps }: OverExtent,
): Promise<void> {
  await writeWhole(join(root, 'extent'), JSON.stringify({ parts, keeps, inode: inodeAt(live) }));
}

/** Removes what is noted of what has ended. A kill in it leaves what says that it has, and never what says that it hasn’t. */
export async function clearOver({ root }: Pick<Places, 'root'>): Promise<void> {
  assertOwnRoot(root);
  if (!existsSync(root)) return;
  await writeWhole(join(root, 'taken'), '');
  await rm(join(root, 'extent'), { force: true });
  await syncFolder(root);
  for (const name of await readdir(root)) if (name !== 'taken') await removeOwn(join(root, name));
  await removeOwn(root);
}

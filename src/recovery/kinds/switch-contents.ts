import { existsSync, renameSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { displayPath, rawPathOf, systemPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { isMountPoint } from '../../host/mount-point.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import type { StepCall, StepKind } from '../../plan/plan.ts';
import { beforeIn, isOld, namesIn, setAttributes, writeBefore } from './contents.ts';
import { syncFolder } from '../../host/lasting.ts';
import { writeWhole } from './durable.ts';
import { inodeAt } from './inode.ts';
import { assertSeen, ownFolder, placesOf, type Guard, type Places } from './places.ts';
import { assertNothingMounted, removeOwn } from './removal.ts';

/** A rename; handed in so that a test can stop before and after each. */
export type Move = (from: RawPath, to: RawPath) => void;

const ofSystem: Move = (from, to) => renameSync(systemPath(from), systemPath(to));

/**
 * As a switch, for a folder that can't be renamed, such as a mount point: what it holds changes places, one name after
 * another, with what was restored in a folder of the plan's own inside it. Before the first move it is written down
 * which names are old, and by which inode: whatever else is there is new. So a kill between any two moves leaves what the
 * next attempt completes, or undoes. Meanwhile the place holds a part of either; whoever uses it is stopped. Of the
 * folder itself owner, mode and times change, its extended attributes don't.
 */
export function switchingContents(guard: Guard, move: Move = ofSystem): StepKind {
  const guarded = async (call: StepCall, work: (places: Places, move: Move) => Promise<void>): Promise<void> => {
    const places = placesOf(call);
    await guard(call, places.live);
    await moving(places, async () => await work(places, move));
  };
  return {
    isDone: async (call) => (existsSync(doneAt(placesOf(call))) ? 'done' : 'not done'),
    run: async (call) => await guarded(call, putLive),
    undo: async (call) => await guarded(call, putBack),
    confirm: async (call) => {
      const { root, live } = placesOf(call);
      // Gone, and nothing is mounted there: not confirmed by an attempt before, but away.
      if (!isMountPoint(live)) assertSeen({ root, live });
      await removeOwn(root);
      await syncFolder(live);
    },
  };
}

function doneAt({ root }: Places): string {
  return join(root, 'switched');
}

async function putLive(places: Places, move: Move): Promise<void> {
  const { live, restored, kept } = places;
  if (existsSync(doneAt(places))) return;
  if (!existsSync(restored)) throw new HoldfastError('refused', `what was restored for ${live} is gone`);
  assertAlone(places);
  const before = beforeIn(places) ?? (await writeBefore(places));
  await mkdir(kept, { recursive: true, mode: 0o700 });
  moveAll(places, { from: live, to: kept, which: (path, name) => isOld(before, path, name), move });
  moveAll(places, { from: restored, to: live, which: () => true, move });
  await setAttributes(live, before.restored);
  for (const folder of [kept, restored, live]) await syncFolder(folder);
  await writeWhole(doneAt(places), '');
}

/** What came since goes where the restored one was: it belongs to it. */
async function putBack(places: Places, move: Move): Promise<void> {
  const { live, restored, kept } = places;
  assertSeen(places);
  const before = beforeIn(places);
  if (before === undefined) return;
  await rm(doneAt(places), { force: true });
  moveAll(places, { from: live, to: restored, which: (path, name) => !isOld(before, path, name), move });
  moveAll(places, { from: kept, to: live, which: () => true, move });
  await setAttributes(live, before.old);
  for (const folder of [restored, live]) await syncFolder(folder);
  if (existsSync(kept)) await rmdir(kept);
}

/** What another plan keeps inside would be removed with what this one does; what is mounted would be emptied. */
function assertAlone(places: Places): void {
  const { live } = places;
  assertNothingMounted(live);
  const other = namesIn(places, live)
    .map(displayPath)
    .find((name) => ownFolder.test(name));
  if (other !== undefined)
    throw new HoldfastError('refused', `${join(live, other)} is another plan’s: confirm or undo that one first`);
}

interface Moves {
  readonly from: string;
  readonly to: string;
  readonly which: (path: RawPath, name: string) => boolean;
  readonly move: Move;
}

function moveAll(places: Places, { from, to, which, move }: Moves): void {
  for (const name of namesIn(places, from)) {
    const path = joinPath(rawPathOf(from), name);
    if (!which(path, name)) continue;
    const target = joinPath(rawPathOf(to), name);
    if (inodeAt(systemPath(target)) !== undefined)
      throw new HoldfastError(
        'refused',
        `something came to ${displayPath(target)} meanwhile; nothing was moved over it`,
      );
    move(path, target);
  }
}

async function moving(places: Places, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    const message = `what ${places.live} holds can’t be replaced: ${reasonOf(error)}`;
    throw new HoldfastError('refused', message, { cause: error });
  }
}

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { copy } from '../../src/job/copy.ts';
import { addKey, changePassword } from '../../src/job/keys.ts';
import { repairIndex } from '../../src/job/repair-index.ts';
import type { JobContext } from '../../src/job/job.ts';
import { changeTags } from '../../src/job/tag.ts';
import { anySnapshot } from '../../src/snapshot/snapshots.ts';
import { MemoryStorage, type Image } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { flipBit, keysOfKind } from './damage.ts';
import { backupFolder, cheapKey, jobContext, newRepository } from './engine.ts';
import { MovableClock } from './movable-clock.ts';
import { keepLast, pruneAll, threeBackups } from './operations.ts';
import { writerOptions } from './pipeline.ts';
import { indexRepaired, keysOf, packsRepaired, snapshotsRepaired } from './repairing.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

/** Something that is cut off at each of its calls of the storage. */
export interface Operation {
  readonly name: string;
  readonly run: (context: JobContext, dir: TempDir) => Promise<unknown>;
  /** Done to the history first, without a cut; may move the clock ahead. */
  readonly after?: (context: JobContext, clock: MovableClock, storage: Storage) => Promise<unknown>;
  /** Whether this snapshot, of those before (oldest first), may be gone afterwards. */
  readonly mayRemove?: (position: number) => boolean;
  /** Snapshots may have other IDs afterwards, and what they hold may not. */
  readonly mayRename?: true;
  /** How many snapshots there are once it was run to its end, however often it was cut off before. */
  readonly leaves?: number;
  /** It mends a damage that `after` did: what is lost for good is what is lost when it is run in peace. */
  readonly mends?: true;
  /** Only where a storage holds names of our own. */
  readonly needs?: 'ownPrefixes';
}

export const operations: readonly Operation[] = [
  { name: 'backup', run: async (context, dir) => await backupFolder(context, dir.file('data')) },
  { name: 'key add', run: async (context) => await addKey(context, async () => ({ ...cheapKey, password: 'new' })) },
  {
    name: 'key passwd',
    run: async (context) => await changePassword(context, async () => ({ ...cheapKey, password: cheapKey.password })),
  },
  { name: 'tag', run: async (context) => await tagAll(context), mayRename: true },
  { name: 'forget', run: async (context) => await keepLast(context, 'leave'), mayRemove: isOld },
  {
    name: 'prune',
    run: async (context) => await pruneAll(context),
    after: async (context) => await keepLast(context, 'leave'),
  },
  copying(),
  {
    name: 'repair index --read-all-packs',
    run: async (context) => await repairIndex(context, { packs: 'all', mode: 'execute', onPlan: () => undefined }),
  },
  { name: 'forget --prune', run: async (context) => await keepLast(context, 'prune'), mayRemove: isOld },
];

const deferred = { way: 'deferred' } as const;

/** Prunes that take two days, and repairs of what is damaged. */
export const longOperations: readonly Operation[] = [
  {
    name: 'prune --deferred',
    needs: 'ownPrefixes',
    after: async (context) => await keepLast(context, 'leave'),
    run: async (context) => await pruneAll(context, deferred),
  },
  {
    name: 'prune --deferred a day later',
    needs: 'ownPrefixes',
    after: async (context, clock) => {
      await keepLast(context, 'leave');
      await pruneAll(context, deferred);
      clock.skipHours(25);
    },
    run: async (context) => await pruneAll(context, deferred),
  },
  {
    name: 'repair index',
    mends: true,
    after: async (_, __, storage) => {
      for (const key of await keysOf(storage, 'index/')) await storage.remove(key);
    },
    run: async (context) => await indexRepaired(context),
  },
  {
    name: 'repair packs',
    mends: true,
    after: async (context, _, storage) => {
      const [pack = ''] = await keysOfKind(storage, context, 'data pack');
      await flipBit(storage, pack, () => 0.05);
    },
    run: async (context, dir) => await packsRepaired(context, dir),
  },
  {
    name: 'repair snapshots --forget',
    mends: true,
    mayRename: true,
    after: async (context, _, storage) => {
      const [pack = ''] = await keysOfKind(storage, context, 'data pack');
      await storage.remove(pack);
      await indexRepaired(context);
    },
    run: async (context) => await snapshotsRepaired(context, 'forget'),
  },
];

/** Three snapshots of another repository beside the three that are there: each is copied once. */
function copying(): Operation {
  const source = new MemoryStorage();
  return {
    name: 'copy',
    leaves: 6,
    after: async () => {
      await using dir = await tempDir();
      for (const [key, bytes] of await threeBackups(dir)) await source.put(key, [bytes]);
    },
    run: async (context) =>
      await copy(context, {
        from: jobContext(source).access,
        places: { from: 'source', to: 'target' },
        ...{ names: [], filter: anySnapshot, now: Temporal.Now.zonedDateTimeISO(), mode: 'execute' },
        writer: writerOptions(),
        ...{ onPlan: () => undefined, onCopied: () => undefined },
      }),
  };
}

function isOld(position: number): boolean {
  return position < 2;
}

async function tagAll(context: JobContext): Promise<void> {
  const change = { add: ['kept'], remove: [] };
  await changeTags(context, { names: [], filter: anySnapshot, now: Temporal.Now.zonedDateTimeISO(), change });
}

/** Three backups of a folder that grows and changes, a few small packs; and the time when the operation begins. */
export async function history(
  dir: TempDir,
  { after }: Operation,
): Promise<{ readonly image: Image; readonly clock: MovableClock }> {
  const storage = new MemoryStorage();
  const clock = new MovableClock();
  await newRepository(storage);
  mkdirSync(dir.file('data/sub'), { recursive: true });
  for (const version of [1, 2, 3]) {
    writeFileSync(dir.file(`data/sub/only in ${version}`), `version ${version}`.repeat(1000));
    appendFileSync(dir.file('data/log'), Buffer.alloc(700_000, `${version}`));
    await backupFolder(jobContext(storage, clock), dir.file('data'));
  }
  await after?.(jobContext(storage, clock), clock, storage);
  writeFileSync(dir.file('data/new'), 'not stored yet'.repeat(5000));
  return { image: new Map(storage.durable), clock };
}

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { copy } from '../src/job/copy.ts';
import { addKey, changePassword } from '../src/job/keys.ts';
import { repairIndex } from '../src/job/repair-index.ts';
import type { JobContext } from '../src/job/job.ts';
import { changeTags } from '../src/job/tag.ts';
import { anySnapshot } from '../src/snapshot/snapshots.ts';
import { MemoryStorage, type Image } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut, PowerCut, type Cut } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { budget } from './budget.ts';
import { backupFolder, cheapKey, examine, jobContext, newRepository, type Health } from './support/engine.ts';
import { keepLast, pruneAll, threeBackups } from './support/operations.ts';
import { writerOptions } from './support/pipeline.ts';
import { prove } from './support/proof.ts';
import { checkByRestic, removeLocks } from './support/stored-in.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/**
 * The power goes at the k-th call of the storage, for every k, before, during and after it. Whatever an operation was
 * doing: no snapshot that it wasn't told to remove is lost, our check has nothing to complain of, and the same
 * operation run again succeeds.
 */
interface Operation {
  readonly name: string;
  readonly run: (context: JobContext, folder: string) => Promise<unknown>;
  /** Done to the history first, without a power cut. */
  readonly after?: (context: JobContext) => Promise<unknown>;
  /** Whether this snapshot, of those before (oldest first), may be gone afterwards. */
  readonly mayRemove?: (position: number) => boolean;
  /** Snapshots may have other IDs afterwards, and what they hold may not. */
  readonly mayRename?: true;
  /** How many snapshots there are once it was run to its end, however often it was cut off before. */
  readonly leaves?: number;
}

const operations: readonly Operation[] = [
  { name: 'backup', run: async (context, folder) => await backupFolder(context, folder) },
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

for (const operation of operations) {
  test(`a power cut at any moment of ${operation.name} loses nothing`, { timeout: 600_000 }, async (context) => {
    await using dir = await tempDir();
    const start = { image: await history(dir, operation) };
    const program = async (storage: Storage): Promise<void> => {
      await operation.run(jobContext(storage), dir.file('data'));
    };
    const before = await examine(new MemoryStorage(start.image));
    const count = await countOperations(start, program);
    let cuts = 0;
    for (const { point, fate } of cutsToTry(count)) {
      const { reached, error, survivors } = await cutAt(start, point, program);
      const where = `${operation.name}: power cut ${point.mode} call ${point.operation} of ${count}, ${JSON.stringify(fate)}`;
      if (!reached) continue;
      assert.ok(error === undefined || error instanceof PowerCut, `${where}: ${String(error)}`);
      cuts += 1;
      const left = survivors(fate);
      assertHealthy(await examine(left), before, operation, where);
      await removeLocks(left);
      if (cuts % budget.crashesPerRerun === 0) {
        await program(left);
        const again = await examine(left);
        assertHealthy(again, before, operation, `${where}, run again`);
        assert.equal(again.snapshots.length, operation.leaves ?? again.snapshots.length, where);
      }
      if (cuts % budget.crashesPerResticCheck === 1) await checkByRestic(context, left, where);
    }
    assert.ok(cuts >= (count * budget.cutsPerCall) / 2, `${cuts} cuts of ${count} calls were reached`);
    prove(context, { claim: `a power cut at any moment of ${operation.name} loses nothing`, count: `${cuts} cuts` });
  });
}

/** Every call is tried; in a sample the ways take turns. */
function cutsToTry(calls: number): readonly Cut[] {
  const ways = [...everyCut(calls)];
  const each = ways.length / calls;
  return ways.filter((_, i) => (i - Math.floor(i / each)) % each < budget.cutsPerCall);
}

/** Three backups of a folder that grows and changes; a few small packs. */
async function history(dir: TempDir, { after }: Operation): Promise<Image> {
  const storage = new MemoryStorage();
  await newRepository(storage);
  mkdirSync(dir.file('data/sub'), { recursive: true });
  for (const version of [1, 2, 3]) {
    writeFileSync(dir.file(`data/sub/only in ${version}`), `version ${version}`.repeat(1000));
    appendFileSync(dir.file('data/log'), Buffer.alloc(700_000, `${version}`));
    await backupFolder(jobContext(storage), dir.file('data'));
  }
  await after?.(jobContext(storage));
  writeFileSync(dir.file('data/new'), 'not stored yet'.repeat(5000));
  return new Map(storage.durable);
}

function assertHealthy(now: Health, before: Health, operation: Operation, where: string): void {
  assert.deepEqual(now.findings, [], where);
  const [wanted, found] = operation.mayRename ? [before.trees, now.trees] : [before.snapshots, now.snapshots];
  for (const [position, id] of wanted.entries()) {
    assert.ok(found.some((one) => one === id) || operation.mayRemove?.(position) === true, `${where}: ${id} is lost`);
  }
}

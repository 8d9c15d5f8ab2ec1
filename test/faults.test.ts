import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { FileId } from '../src/bytes/ids.ts';
import { HoldfastError } from '../src/errors/error.ts';
import type { JobContext } from '../src/job/job.ts';
import {
  FaultyStorage,
  seededFaults,
  type Fault,
  type FaultOptions,
  type Operation as StorageOperation,
} from '../src/storage/fault.ts';
import { MemoryStorage, type Image } from '../src/storage/memory.ts';
import { seededRandom } from '../src/storage/seeded.ts';
import type { Storage } from '../src/storage/storage.ts';
import { budget } from './budget.ts';
import { backupFolder, contentsOf, examine, jobContext, restoreSnapshot, type Contents } from './support/engine.ts';
import { endOf, retrying } from './support/fault-trial.ts';
import { checked, keepLast, pruneAll, threeBackups } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { indexRepaired } from './support/repairing.ts';
import { removeLocks } from './support/stored-in.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/**
 * A storage goes wrong while an operation runs. The operation succeeds or ends with an error that says what happened,
 * in bounded time either way; and every snapshot that it wasn't told to remove still gives every byte.
 */
interface Operation {
  readonly name: string;
  readonly run: (context: JobContext, stage: Stage) => Promise<unknown>;
  /** How many of the oldest of three snapshots were removed before. */
  readonly forgotten?: 1;
  /** How many of the oldest may be gone afterwards. */
  readonly mayRemove?: 2;
}

interface Stage {
  readonly dir: TempDir;
  readonly image: Image;
  /** What each snapshot holds, oldest first. */
  readonly contents: ReadonlyMap<FileId, Contents>;
}

const operations: readonly Operation[] = [
  { name: 'backup', run: async (context, { dir }) => await backupFolder(context, dir.file('data')) },
  { name: 'forget', run: async (context) => await keepLast(context, 'leave'), mayRemove: 2 },
  { name: 'forget --prune', run: async (context) => await keepLast(context, 'prune'), mayRemove: 2 },
  { name: 'prune', run: async (context) => await pruneAll(context), forgotten: 1 },
  { name: 'prune --deferred', run: async (context) => await pruneAll(context, { way: 'deferred' }), forgotten: 1 },
  { name: 'repair index', run: async (context) => await indexRepaired(context, 'all') },
  { name: 'restore', run: restoreLast },
  { name: 'check', run: async (context) => await checked(context, 'data') },
];

async function restoreLast(context: JobContext, { dir, contents }: Stage): Promise<void> {
  rmSync(dir.file('restored'), { recursive: true, force: true });
  await restoreSnapshot(context, [...contents.keys()].at(-1) ?? assert.fail(), dir.file('restored'));
}

async function stageOf(dir: TempDir): Promise<Stage> {
  const image = await threeBackups(dir);
  const { snapshots } = await examine(new MemoryStorage(image));
  const contents = new Map<FileId, Contents>();
  for (const id of snapshots)
    contents.set(id, await contentsOf(jobContext(new MemoryStorage(image)), id, dir.file('data')));
  return { dir, image, contents };
}

interface Trial {
  readonly stage: Stage;
  readonly operation: Operation;
  readonly faults: FaultOptions;
  readonly retried: boolean;
  readonly where: string;
}

/** The storage afterwards, without its faults, and what the operation ended with. */
async function outcomeOf({ stage, operation, faults, retried, where }: Trial) {
  const { image, contents } = stage;
  const gone = [...contents.keys()].slice(0, operation.forgotten ?? 0).map((id) => `snapshots/${id}`);
  const start = [...image].filter(([key]) => !gone.includes(key));
  const storage = new MemoryStorage(new Map(start));
  const faulty = new FaultyStorage(storage, faults);
  const error = await endOf(operation.run(jobContext(retried ? retrying(faulty) : faulty), stage), where);
  return { storage, error };
}

/** Every snapshot that was there and wasn't to go gives every byte. */
async function assertReadable({ stage, operation, where }: Trial, storage: Storage): Promise<void> {
  const { contents, dir } = stage;
  for (const [id, wanted] of [...contents].slice(operation.forgotten ?? operation.mayRemove ?? 0)) {
    assert.deepEqual(await contentsOf(jobContext(storage), id, dir.file('data')), wanted, `${where}: snapshot ${id}`);
  }
}

/** As assertReadable; moreover nothing is wrong with the rest, and without faults the operation succeeds. */
async function assertUnharmed(trial: Trial, storage: MemoryStorage): Promise<void> {
  const { stage, operation, where } = trial;
  await assertReadable(trial, storage);
  assert.deepEqual((await examine(storage)).findings, [], where);
  await removeLocks(storage);
  await operation.run(jobContext(storage), stage);
}

const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const seeds = Array.from({ length: Math.ceil(budget.histories / 10) }, (_, n) => firstSeed + n);
const long = { timeout: 3_400_000 };

interface Chances {
  readonly rates: Partial<Readonly<Record<Fault, number>>>;
  readonly storages: readonly ('bare' | 'retried')[];
  readonly judge: (trial: Trial, storage: MemoryStorage, error: unknown) => Promise<void>;
}

/** Each operation with faults by chance, once for each seed. How many runs there were, and how many were hit. */
async function byChance({ rates, storages, judge }: Chances): Promise<string> {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  let [runs, hit] = [0, 0];
  for (const operation of operations) {
    for (const seed of seeds) {
      for (const kind of storages) {
        const chance = seededFaults(seed, rates);
        let faults = 0;
        const faultFor: FaultOptions['faultFor'] = (operated) => {
          const fault = chance(operated);
          if (fault !== undefined) faults += 1;
          return fault;
        };
        const where = `${operation.name} on a ${kind} storage, seed ${seed}, ${JSON.stringify(rates)}`;
        const trial = { stage, operation, faults: { faultFor }, retried: kind === 'retried', where };
        const { storage, error } = await outcomeOf(trial);
        await judge(trial, storage, error);
        runs += 1;
        hit += Math.min(1, faults);
      }
    }
  }
  assert.ok(hit > 0, 'no run met a fault');
  return `${runs} runs, ${hit} of them with faults`;
}

/** Each operation as often as it does something that `where` wants, with that fault there alone. */
async function oneByOne(
  fault: Fault,
  isHit: (operation: StorageOperation) => boolean,
  judge: (trial: Trial, storage: MemoryStorage, error: unknown, hit: StorageOperation) => Promise<void>,
): Promise<string> {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  let runs = 0;
  for (const operation of operations) {
    for (let wanted = 1; ; wanted += 1) {
      let met = 0;
      let hit: StorageOperation | undefined;
      const faultFor: FaultOptions['faultFor'] = (operated) => {
        if (!isHit(operated) || ++met !== wanted) return undefined;
        hit = operated;
        return fault;
      };
      const trial = { stage, operation, faults: { faultFor }, retried: false, where: '' };
      const { storage, error } = await outcomeOf(trial);
      if (hit === undefined) break;
      const where = `${operation.name} with '${fault}' at ${hit.kind} ${hit.key}`;
      await judge({ ...trial, where }, storage, error, hit);
      runs += 1;
    }
  }
  return `${runs} runs`;
}

test('a storage that errs, with or without its effect, loses nothing', long, async (context) => {
  const rates = { 'error': 0.06, 'lost-answer': 0.06 };
  const count = await byChance({ rates, storages: ['bare', 'retried'], judge: assertUnharmed });
  prove(context, { claim: 'a storage that errs loses nothing', count, seeds });
});

test('a storage that stalls is an error in bounded time and loses nothing', long, async (context) => {
  const count = await byChance({ rates: { stall: 0.2 }, storages: ['retried'], judge: assertUnharmed });
  prove(context, { claim: 'a storage that stalls loses nothing', count, seeds });
});

test('a storage that stalls for good is a timeout', long, async () => {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  for (const operation of operations) {
    for (const from of [1, 6]) {
      const faults: FaultOptions = { faultFor: ({ number }) => (number >= from ? 'stall' : undefined) };
      const trial = { stage, operation, faults, retried: true, where: `${operation.name} stalled from ${from} on` };
      const { storage, error } = await outcomeOf(trial);
      assert.ok(error instanceof HoldfastError && error.code === 'storage-timeout', `${trial.where}: ${String(error)}`);
      await assertUnharmed(trial, storage);
    }
  }
});

test('a storage that fills up says so and loses nothing', long, async (context) => {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  const random = seededRandom(firstSeed);
  let [runs, full] = [0, 0];
  for (const operation of operations) {
    for (const seed of seeds) {
      const fullAfterBytes = Math.floor(random() ** 2 * 6000);
      const where = `${operation.name} with ${fullAfterBytes} bytes left, seed ${seed}`;
      const trial = { stage, operation, faults: { fullAfterBytes }, retried: true, where };
      const { storage, error } = await outcomeOf(trial);
      if (error !== undefined) assert.equal(error.code, 'storage-full', where);
      await assertUnharmed(trial, storage);
      runs += 1;
      if (error !== undefined) full += 1;
    }
  }
  assert.ok(full > 0, 'it was never full');
  prove(context, {
    claim: 'a storage that fills up loses nothing',
    count: `${runs} runs, ${full} of them full`,
    seeds,
  });
});

/** What isn't removed harms nobody, and neither does a lock. */
const matters = ({ kind, key }: StorageOperation): boolean => kind === 'put' && !key.startsWith('locks/');

/** Nothing was reported as done that is not, unless `check` finds it. */
async function assertFound({ where }: Trial, storage: MemoryStorage, error: unknown): Promise<void> {
  if (error !== undefined) return;
  await removeLocks(storage);
  const { errors, hints } = await checked(jobContext(storage), 'structure');
  assert.ok(errors + hints > 0, `${where}: check finds nothing`);
}

test('a storage that lies about success loses nothing, and check finds what it lied about', long, async (context) => {
  const isChange = ({ kind }: StorageOperation): boolean => kind === 'put' || kind === 'remove';
  const count = await oneByOne('lie', isChange, async (trial, storage, error, hit) => {
    await assertReadable(trial, storage);
    if (matters(hit)) await assertFound(trial, storage, error);
  });
  prove(context, { claim: 'a storage that lies about success loses nothing', count });
});

test('a storage that stores only half loses nothing, and check finds it', long, async (context) => {
  const count = await oneByOne(
    'truncate',
    ({ kind }) => kind === 'put',
    async (trial, storage, error, hit) => {
      await assertReadable(trial, storage);
      for await (const { key } of storage.list('locks/')) await storage.remove(key);
      if (matters(hit)) await assertFound(trial, storage, error);
    },
  );
  prove(context, { claim: 'a storage that truncates what it stores loses nothing', count });
});

test(
  'an index that is stored with a wrong bit takes the place of no other, and check finds it',
  long,
  async (context) => {
    const isIndex = ({ kind, key }: StorageOperation): boolean => kind === 'put' && key.startsWith('index/');
    const count = await oneByOne('flip', isIndex, async (trial, storage, error) => {
      await assertReadable(trial, storage);
      await assertFound(trial, storage, error);
    });
    prove(context, { claim: 'a storage that stores an index with a wrong bit loses nothing', count });
  },
);

test('a storage that gives only half, or wrong bits, is found out and loses nothing', long, async (context) => {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  let runs = 0;
  for (const operation of operations) {
    for (const seed of seeds) {
      const chance = seededFaults(seed, { truncate: 0.05, flip: 0.05 });
      const faults: FaultOptions = { faultFor: (operated) => (operated.kind === 'get' ? chance(operated) : undefined) };
      const trial = {
        stage,
        operation,
        faults,
        retried: false,
        where: `${operation.name}, reading wrong, seed ${seed}`,
      };
      await assertUnharmed(trial, (await outcomeOf(trial)).storage);
      runs += 1;
    }
  }
  prove(context, { claim: 'a storage that reads wrong loses nothing', count: `${runs} runs`, seeds });
});

test('a listing that misses what is there loses nothing', long, async (context) => {
  const count = await oneByOne('stale-list', ({ kind }) => kind === 'list', assertReadable);
  prove(context, { claim: 'a stale listing loses nothing', count });
});

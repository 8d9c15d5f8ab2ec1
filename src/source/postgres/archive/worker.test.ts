import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { handedOver, handingOver } from '../../../../test/support/handing-over.ts';
import { handSegments, mib, nameOf, segment, takeSuccesses } from '../../../../test/support/handed-segments.ts';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock, type Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent, type Listener } from '../../../events/events.ts';
import type { LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { ArchiveWork } from '../../log.ts';
import { clusterMark } from '../cluster-mark.ts';
import { Spool } from './spool.ts';
import { archiveFiles } from './worker.ts';

const { signal } = new AbortController();

const hurried: Clock = {
  ...systemClock,
  monotonicMs: () => 100 * systemClock.monotonicMs(),
  sleep: async (ms, until) => await systemClock.sleep(ms / 100, until),
};

test('a data directory that can’t be marked is told as a warning, and its log is stored nevertheless: that frees its disk', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  await mkdir(`${handed.dataDirectory}/${clusterMark('7')}`); // no file can be made there
  const repository = await newRepository(new MemoryStorage());
  const store = openLog(repository, { component: 'shop-db', stream: '7' });
  const controller = new AbortController();
  const warnings: string[] = [];
  const work: ArchiveWork = {
    ...handed,
    signal: controller.signal,
    places: [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }],
    listener: (event) => {
      if (event.kind === 'warning') warnings.push(event.message);
    },
    clock: {
      ...systemClock,
      sleep: async (ms, until) => {
        if ((await store.list()).histories.length > 0) controller.abort(new Error('stored'));
        await systemClock.sleep(ms, until);
      },
    },
  };
  await assert.rejects(archiveFiles(work), /stored/);
  assert.match(warnings.join(), /holdfast-7 can’t be written/);
});

test('a worker ends once what it was handed is wanted no more, though a place hangs, and tells no push that it failed', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  const hanging = Promise.withResolvers<void>();
  const open = async (): Promise<never> => {
    hanging.resolve();
    return await new Promise<never>(() => undefined);
  };
  let looks = 0;
  await archiveFiles({
    ...{ ...handed, signal, listener: silent },
    places: [{ repository: 'near', required: true, windowMs: 1, open }],
    clock: hurried,
    isStillWanted: async () => {
      await hanging.promise;
      return ++looks < 2;
    },
  });
  assert.equal(looks, 2);
  assert.deepEqual(await readdir(dir.file('state/spool/shop-db/7')), []);
});

test('a worker ends though a place does not answer what it holds: another may begin', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  const hanging = Promise.withResolvers<void>();
  class HangingStorage extends MemoryStorage {
    override async *list(prefix: string): ReturnType<MemoryStorage['list']> {
      if (prefix.startsWith('holdfast/')) {
        hanging.resolve();
        await new Promise<never>(() => undefined);
      }
      yield* super.list(prefix);
    }
  }
  const repository = await newRepository(new HangingStorage());
  await archiveFiles({
    ...{ ...handed, signal, listener: silent },
    places: [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }],
    clock: hurried,
    isStillWanted: async () => {
      await hanging.promise;
      return false;
    },
  });
  const lock = new Spool(handed.stateFolder, 'shop-db', '7').lock();
  assert.ok(lock !== undefined);
  lock[Symbol.dispose]();
});

test('a worker stays as long as a base backup is owed, which is made beside it, and ends then', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  await writeFile(`${handed.dataDirectory}/postmaster.pid`, '4711\n');
  const spool = new Spool(handed.stateFolder, 'shop-db', '7');
  await spool.make();
  await spool.notes.addBaseDue(); // by a worker that was killed
  const repository = await newRepository(new MemoryStorage());
  const endAtMs: number[] = [];
  const told: string[] = [];
  await archiveFiles({
    ...{ ...handed, signal, clock: hurried, mostQueuedBytes: 1 },
    places: [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }],
    listener: (event) => void (event.kind === 'note' && told.push(event.name)),
    baseBackups: {
      rule: 'full',
      isDue: async (sinceNs) => sinceNs === undefined,
      start: () => {
        endAtMs.push(hurried.monotonicMs() + 40_000); // longer than a worker without work stays
        return { isRunning: () => hurried.monotonicMs() < (endAtMs[0] ?? 0) };
      },
    },
  });
  assert.equal(endAtMs.length, 1);
  assert.deepEqual(told, ['base-backup-started']);
  assert.ok(hurried.monotonicMs() > (endAtMs[0] ?? 0) && !spool.notes.isBaseDue());
});

test('a place that holds nothing is noted before it is given anything, until it has all that others hold', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  class Unread extends MemoryStorage {
    isUnread = false;
    override async get(...call: Parameters<MemoryStorage['get']>): ReturnType<MemoryStorage['get']> {
      return this.isUnread && call[0].includes('.about')
        ? await new Promise(() => undefined)
        : await super.get(...call);
    }
  }
  const storage = new Unread();
  const near = await newRepository(storage);
  const first = { epoch: 1, from: 1n << 24n, to: 2n << 24n };
  await openLog(near, { component: 'shop-db', stream: '7' }).put(first, Buffer.from('ours'), { facts: {} });
  storage.isUnread = true;
  const far = await newRepository(new MemoryStorage());
  const places = Object.entries({ near, far }).map(([repository, of]) => ({
    ...{ repository, required: true, windowMs: 1, open: async () => of },
  }));
  const controller = new AbortController();
  const spool = new Spool(handed.stateFolder, 'shop-db', '7');
  const sleep: Clock['sleep'] = async (ms, until) => {
    if (spool.look().marked.length > 0) controller.abort(new Error('seen'));
    await systemClock.sleep(ms, until);
  };
  const work = { ...handed, places, listener: silent, signal: controller.signal, clock: { ...systemClock, sleep } };
  await assert.rejects(archiveFiles(work), /seen/);
  assert.deepEqual([spool.notes.isNew('near'), spool.notes.isNew('far')], [false, true]);
});

test('a file that another’s is in the way of in one place is a conflict, though another place is away', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  const repository = await newRepository(new MemoryStorage());
  const others = Buffer.from('1\t0/5000000\tanother’s\n');
  const history = { epoch: 2, parent: 1, forkedAt: 0x500_0000n, bytes: others };
  await openLog(repository, { component: 'shop-db', stream: '7' }).putHistory(history);
  const places = [away, async () => repository].map((open, index) => ({
    ...{ repository: `place-${index}`, required: true, windowMs: 1, open },
  }));
  const controller = new AbortController();
  const sleep: Clock['sleep'] = async (ms, until) => {
    if ((await failed(dir)).length > 0) controller.abort(new Error('seen'));
    await systemClock.sleep(ms, until);
  };
  const work = { ...handed, places, listener: silent, signal: controller.signal, clock: { ...systemClock, sleep } };
  await assert.rejects(archiveFiles(work), /seen/);
  const said = await readFile(dir.file(`state/spool/shop-db/7/${handedOver}.failed`), 'utf8');
  assert.match(said, /log-timeline-taken/);
});

async function away(): Promise<never> {
  return await Promise.reject(new HoldfastError('storage-failed', 'it is away'));
}

interface Conflicting {
  readonly isOver: () => Promise<boolean>;
  readonly listener?: Listener;
  readonly mostQueued?: () => number | undefined;
}

/** A server hands eight segments over, and another's stands where the third should be, until `isOver`. */
async function conflicting(dir: TempDir, { isOver, listener = silent, mostQueued }: Conflicting): Promise<LogStore> {
  const handed = await handingOver(dir);
  await handSegments(handed.dataDirectory, [1, 2, 3, 4, 5, 6, 7, 8]);
  const repository = await newRepository(new MemoryStorage());
  const store = openLog(repository, { component: 'shop-db', stream: '7' });
  for (const [number, contents] of [
    [1, 'ours'],
    [3, 'another’s'],
  ] as const) {
    const { extent, bytes } = segment(number, contents);
    await store.put(extent, bytes, { facts: {} });
  }
  const controller = new AbortController();
  const sleep: Clock['sleep'] = async (ms, until) => {
    if (await isOver()) controller.abort(new Error('seen'));
    if (mostQueued !== undefined) await takeSuccesses(handed.dataDirectory, dir.file('state/spool/shop-db/7'));
    await systemClock.sleep(ms, until);
  };
  const places = [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }];
  const work: ArchiveWork = {
    ...{ ...handed, places, listener, signal: controller.signal, clock: { ...systemClock, sleep } },
    get mostQueuedBytes() {
      return mostQueued?.();
    },
  };
  await assert.rejects(archiveFiles(work), /seen/);
  return store;
}

async function failed(dir: TempDir): Promise<readonly string[]> {
  const names = await readdir(dir.file('state/spool/shop-db/7'));
  return names.filter((name) => name.endsWith('.failed'));
}

test('nothing is stored behind a segment that another’s is in the way of, though more were under way', async () => {
  await using dir = await tempDir();
  let scans = 0;
  const store = await conflicting(dir, { isOver: async () => (await failed(dir)).length > 0 && ++scans > 10 });
  assert.deepEqual(
    (await store.list()).segments.map(({ from }) => Number(from) / mib),
    [1, 2, 3],
  );
  assert.deepEqual(await failed(dir), [`${nameOf(3)}.failed`]);
});

test('what is dropped because more waits than may is named as a gap, also where another’s stands under its name', async () => {
  await using dir = await tempDir();
  const told: unknown[] = [];
  const listener: Listener = (event) => {
    if (event.kind === 'note' && event.name === 'log-gap') told.push(event.data);
  };
  let most: number | undefined;
  const isOver = async (): Promise<boolean> => {
    if ((await failed(dir)).length > 0) most = 1;
    const names = await readdir(dir.file('state/spool/shop-db/7'));
    return told.length > 1 && !names.some((name) => name.startsWith('gap-'));
  };
  const store = await conflicting(dir, { isOver, listener, mostQueued: () => most });
  const why = 'more waited than push-queue-max allows: it was dropped, so that production goes on';
  const of = { component: 'shop-db', stream: '7', repository: 'near', epoch: 1 };
  assert.deepEqual(told, [
    { ...of, from: '0/400000', to: '0/900000', reason: `${why}; another’s log stands before it there` },
    { ...of, from: '0/300000', to: '0/400000', reason: `${why}; what stands there under these names is another’s log` },
  ]);
  assert.deepEqual((await store.list()).gaps, [], 'the other’s log stays as it is');
});

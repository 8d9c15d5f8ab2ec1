import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { handSegments, mib, nameOf, segment, takeSuccesses } from '../../../../test/support/handed-segments.ts';
import { handedOver, handingOver } from '../../../../test/support/handing-over.ts';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock, type Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import type { LogStore } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { rangesOf } from '../../../log/ranges.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { ArchiveWork } from '../../log.ts';
import { Spool } from './spool.ts';
import { archiveFiles } from './worker.ts';

/** A storage that goes away and comes back, or is slow. */
class Leaving extends MemoryStorage {
  isAway = false;

  /** What is stored waits for this. */
  letGo: Promise<void> = Promise.resolve();

  override async put(...call: Parameters<MemoryStorage['put']>): Promise<void> {
    await this.letGo;
    this.#assertThere();
    await super.put(...call);
  }

  override async *list(prefix: string): ReturnType<MemoryStorage['list']> {
    this.#assertThere();
    yield* super.list(prefix);
  }

  #assertThere(): void {
    if (this.isAway) throw new HoldfastError('storage-failed', 'it is away');
  }
}

/** Of 50 ms, a minute at least: what was in the way of a file is looked at again after half of one. */
const mostSleeps = 1200;

/** Whether what the worker works at has come so far; then what comes next is waited for. */
type Step = () => boolean | Promise<boolean>;

interface Scene {
  readonly spool: Spool;
  readonly near: LogStore;
  readonly far: LogStore;
  readonly nearStorage: Leaving;
  readonly farStorage: Leaving;
  mostQueuedBytes: number | undefined;
  /** Amidst their success the server crashes. */
  readonly crashes: Set<string>;
  readonly hand: (numbers: readonly number[]) => Promise<void>;
  /** A worker, until all these have come, one after the other; the server takes each success at once. */
  readonly work: (steps: readonly Step[]) => Promise<void>;
}

/** A server hands segments over to two required places; of both the first is held, and its own. */
async function scene(dir: TempDir): Promise<Scene> {
  const handed = await handingOver(dir);
  const status = `${handed.dataDirectory}/pg_wal/archive_status`;
  await rm(`${status}/${handedOver}.ready`);
  const [nearStorage, farStorage] = [new Leaving(), new Leaving()];
  const repositories = { near: await newRepository(nearStorage), far: await newRepository(farStorage) };
  const name = { component: 'shop-db', stream: '7' };
  const [near, far] = [openLog(repositories.near, name), openLog(repositories.far, name)];
  for (const store of [near, far]) {
    const { extent, bytes } = segment(1, 'ours');
    await store.put(extent, bytes, { facts: {} });
  }
  const spool = new Spool(handed.stateFolder, 'shop-db', '7');
  const places = Object.entries(repositories).map(([repository, opened]) => ({
    ...{ repository, required: true, windowMs: 3_600_000, open: async () => opened },
  }));
  const work = async (steps: readonly Step[]): Promise<void> => {
    const controller = new AbortController();
    const left = [...steps];
    let sleeps = 0;
    const sleep: Clock['sleep'] = async (ms, until) => {
      await takeSuccesses(handed.dataDirectory, dir.file('state/spool/shop-db/7'), made.crashes);
      if ((await left[0]?.()) === true) left.shift();
      if (left.length === 0) controller.abort(new Error('all have come'));
      if (++sleeps > mostSleeps)
        controller.abort(new Error(`it never came to what ${left.length} before the end waits for`));
      await systemClock.sleep(ms, until);
    };
    const base = { ...handed, places, listener: silent, signal: controller.signal, clock: { ...systemClock, sleep } };
    const asked: ArchiveWork = {
      ...base,
      get mostQueuedBytes() {
        return made.mostQueuedBytes;
      },
    };
    await assert.rejects(archiveFiles(asked), /all have come/);
  };
  const hand = async (numbers: readonly number[]): Promise<void> => await handSegments(handed.dataDirectory, numbers);
  const made: Scene = {
    spool,
    near,
    far,
    nearStorage,
    farStorage,
    mostQueuedBytes: undefined,
    crashes: new Set<string>(),
    hand,
    work,
  };
  return made;
}

async function held(store: LogStore): Promise<readonly number[]> {
  return (await store.list()).segments.map(({ from }) => Number(from) / mib);
}

test('a place gets what was dropped before it came there from another that has it, while the same worker lives', async () => {
  await using dir = await tempDir();
  const made = await scene(dir);
  const { near, far, farStorage, spool } = made;
  await made.hand([2]);
  await made.work([
    async () => (await held(far)).includes(2) && (await held(near)).includes(2),
    async () => {
      farStorage.isAway = true;
      await made.hand([3, 4]);
      return true;
    },
    async () => (await held(near)).length === 4,
    () => {
      made.mostQueuedBytes = 1;
      return spool.notes.gaps().length > 0;
    },
    () => {
      farStorage.isAway = false;
      return spool.notes.gaps().length === 0;
    },
    async () => (await held(far)).length === 4,
  ]);
  const listing = await far.list();
  assert.deepEqual(listing.gaps, [{ epoch: 1, from: BigInt(3 * mib), to: BigInt(5 * mib) }]);
  assert.deepEqual(
    rangesOf(listing).map(({ from, to, segments }) => [Number(from) / mib, Number(to) / mib, segments]),
    [[1, 5, 4]],
    'what was said to be lost, and came after all, is no hole',
  );
});

test('a segment that was dropped, and is handed over again after a crash of the server, is stored and no gap', async () => {
  await using dir = await tempDir();
  const made = await scene(dir);
  const { near, far, farStorage, spool } = made;
  farStorage.isAway = true;
  made.crashes.add(nameOf(3));
  let looks = 0;
  await made.hand([2, 3]);
  await made.work([
    async () => (await held(near)).length === 3,
    () => {
      made.mostQueuedBytes = 1;
      return spool.notes.gaps().length > 0 && spool.look().marked.length === 0;
    },
    async () => {
      made.mostQueuedBytes = undefined;
      farStorage.isAway = false;
      await made.hand([4]);
      return true;
    },
    async () => (await held(far)).includes(4),
    () => ++looks > 30,
    () => {
      made.crashes.clear();
      spool.want(nameOf(3));
      return true;
    },
    () => spool.notes.gaps().length === 0,
  ]);
  const { gaps } = await far.list();
  assert.deepEqual(gaps, [{ epoch: 1, from: BigInt(2 * mib), to: BigInt(3 * mib) }]);
  assert.ok((await held(far)).includes(3));
});

test('what another’s was in the way of when it was dropped is known to the next worker, until it is gone from there', async () => {
  await using dir = await tempDir();
  const made = await scene(dir);
  const { near, far, nearStorage, spool } = made;
  const others = segment(3, 'another’s');
  await near.put(others.extent, others.bytes, { facts: {} });
  // Found in the sooner place, it would keep the file from the other for half a minute.
  const slow = Promise.withResolvers<void>();
  nearStorage.letGo = slow.promise;
  await made.hand([2, 3]);
  await made.work([
    async () => (await held(far)).includes(3),
    async () => {
      slow.resolve();
      return spool.isFailed(nameOf(3)) && (await held(near)).includes(2);
    },
    () => {
      made.mostQueuedBytes = 1;
      return spool.notes.gaps().length > 0;
    },
    () => spool.notes.gaps().length === 0,
  ]);
  assert.deepEqual(spool.notes.takenIn('near'), [{ epoch: 1, from: others.extent.from }]);
  made.mostQueuedBytes = undefined;
  await made.hand([4]);
  await made.work([async () => spool.isFailed(nameOf(4)) && (await held(far)).includes(4)]);
  const own = segment(3, 'ours');
  assert.deepEqual(Buffer.from(await far.get(own.extent)), own.bytes);
  assert.deepEqual(await held(near), [1, 2, 3]);
  await near.remove([others.extent]);
  await made.work([async () => (await held(near)).includes(4)]);
  assert.deepEqual(spool.notes.takenIn('near'), []);
});

test('what is another’s in one place is not given to another that lacks what was dropped', async () => {
  await using dir = await tempDir();
  const made = await scene(dir);
  const { near, far, farStorage, spool } = made;
  for (const { extent, bytes } of [3, 4].map((number) => segment(number, 'another’s')))
    await near.put(extent, bytes, { facts: {} });
  farStorage.isAway = true;
  let looks = 0;
  await made.hand([2, 3, 4, 5]);
  await made.work([
    async () => spool.isFailed(nameOf(3)) && (await held(near)).includes(2),
    () => {
      made.mostQueuedBytes = 1;
      return spool.notes.gaps().length > 0;
    },
    () => {
      farStorage.isAway = false;
      return spool.notes.gaps().length === 0;
    },
    async () => (await held(far)).includes(2),
    () => ++looks > 10,
  ]);
  assert.deepEqual(await held(far), [1, 2]);
});

test('what a place has stored before another’s was found in a slower one is the server’s own, and neither gets anything of the other', async () => {
  await using dir = await tempDir();
  const made = await scene(dir);
  const { near, far, farStorage, spool } = made;
  const others = segment(3, 'another’s');
  await far.put(others.extent, others.bytes, { facts: {} });
  const slow = Promise.withResolvers<void>();
  farStorage.letGo = slow.promise;
  await made.hand([2, 3, 4, 5]);
  await made.work([
    async () => (await held(near)).length === 5, // several are on their way at a time
    () => {
      slow.resolve();
      return spool.isFailed(nameOf(3));
    },
  ]);
  let looks = 0;
  await made.work([() => spool.isFailed(nameOf(3)) && ++looks > 10]);
  assert.deepEqual(await held(near), [1, 2, 3, 4, 5]);
  assert.deepEqual(await held(far), [1, 2, 3]);
  for (const number of [2, 3, 4, 5]) {
    const { extent, bytes } = segment(number, 'ours');
    assert.deepEqual(Buffer.from(await near.get(extent)), bytes);
  }
  assert.deepEqual(Buffer.from(await far.get(others.extent)), others.bytes);
});

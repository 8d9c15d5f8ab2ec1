import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { SteppedClock } from '../../../../test/support/stepped-clock.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import type { Extent } from '../../../log/log.ts';
import { packSegment, segmentAt, segmentRoomBytes } from '../../../log/pack.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { AtHand } from './at-hand.ts';
import { Lane, type Due } from './lane.ts';
import type { LogFile } from './log-file.ts';
import type { Packed } from './packing.ts';
import { ArchivePlace } from './place.ts';
import { Spool } from './spool.ts';
import { Tasks } from './tasks.ts';
import { Warnings } from './warnings.ts';

const { signal } = new AbortController();
const name = { component: 'shop-db', stream: '7' };
const mib = 2 ** 20;
const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
const nameOf = (number: number): string => `0000000100000000${number.toString(16).toUpperCase().padStart(8, '0')}`;

/** What goes to the log waits until it is let. */
class WaitingStorage extends MemoryStorage {
  letGo: () => Promise<void> = async () => undefined;

  override async put(...call: Parameters<MemoryStorage['put']>): Promise<void> {
    if (call[0].startsWith('holdfast/log/')) await this.letGo();
    await super.put(...call);
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await isSo()); looks++) {
    assert.ok(looks < 6000, 'it never came to this');
    await systemClock.sleep(5);
  }
}

interface Scene {
  /** What can't be read. */
  readonly refused?: number;
  /** What another has in the first place. */
  readonly anothers?: number;
  /** What stands there damaged. */
  readonly damaged?: number;
  readonly why?: Due['why'];
}

/** A server hands ten segments over, which go to these places. */
async function scene(dir: TempDir, storages: readonly MemoryStorage[], of: Scene = {}) {
  const { refused = 0, anothers = 0, damaged = 0, why = 'ahead' } = of;
  const folder = dir.file('pg_wal');
  await mkdir(`${folder}/archive_status`, { recursive: true });
  for (const each of numbers.map(nameOf)) {
    await writeFile(`${folder}/${each}`, Buffer.alloc(mib));
    await writeFile(`${folder}/archive_status/${each}.ready`, '');
  }
  const clock = new SteppedClock();
  const repositories = await Promise.all(storages.map(async (storage) => await newRepository(storage)));
  const [first] = repositories;
  if (first !== undefined && anothers !== 0)
    await openLog(first, name).put(numbered(anothers), Buffer.from('another’s'), { facts: {} });
  if (damaged !== 0) await storages[0]?.put(keyOf(damaged), [Buffer.from('half of it')]);
  const required = repositories.map((repository, index) => {
    const place = { repository: `place-${index}`, required: true, windowMs: 1, open: async () => repository };
    return new ArchivePlace({ ...{ dataDirectory: dir.path, name, clock, listener: silent, signal }, place });
  });
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  const warnings = new Warnings({ component: 'shop-db', listener: silent });
  const tasks = new Tasks({ folder, dataDirectory: dir.path, spool, required, clock, warnings });
  const read: string[] = [];
  const unread = new Set([nameOf(refused)]);
  const reading = async (file: string): Promise<Packed> => {
    read.push(file);
    if (unread.has(file)) throw new HoldfastError('refused', 'it is of another cluster');
    return pack(file);
  };
  const atHand = new AtHand({ read: reading }, required.length);
  const offered: string[] = [];
  const filling = { offer: async ({ kind }: LogFile) => void offered.push(kind) };
  tasks.keep(numbers.map(nameOf), []);
  const due = numbers.map(nameOf).flatMap((each) => {
    const task = tasks.due(each, false);
    return task === undefined ? [] : [{ task, why }];
  });
  const isQuiet = (): boolean => due.every(({ task }) => !task.isRunning);
  const faults: unknown[] = [];
  const lanes = required.map((place) => new Lane({ place, tasks, atHand, filling, onEnd }));
  function begin(): void {
    for (const lane of lanes) lane.begin(due, 0);
  }
  function onEnd(fault?: { readonly error: unknown }): void {
    if (fault !== undefined) faults.push(fault.error);
    begin();
  }
  const held = async (index: number): Promise<readonly number[]> => {
    const repository = repositories[index] ?? assert.fail();
    return (await openLog(repository, name).list()).segments.map(({ from }) => Number(from) / mib);
  };
  const marked = (): number => spool.look().marked.length;
  return { begin, held, clock, read, unread, offered, faults, due, spool, tasks, isQuiet, marked };
}

function numbered(number: number): Extent {
  return { epoch: 1, from: BigInt(number * mib), to: BigInt((number + 1) * mib) };
}

function keyOf(number: number): string {
  const [from, to] = [number, number + 1].map((one) => (one * mib).toString(16).padStart(16, '0'));
  return `holdfast/log/shop-db/7/00000001/${from}-${to}`;
}

function pack(file: string): Packed {
  const extent = numbered(Number.parseInt(file.slice(16), 16));
  const bytes = 1024;
  const room = new Uint8Array(segmentRoomBytes(bytes));
  const segment = packSegment(name, extent, Buffer.alloc(segmentAt + bytes), room);
  return { file: { kind: 'segment', extent, segment, noted: { facts: {} } }, free: () => undefined };
}

test('a place that is slow to answer holds back the success alone: another gets all, and what that had no patience for is read anew', async () => {
  await using dir = await tempDir();
  const [near, far] = [new MemoryStorage(), new WaitingStorage()];
  const answering = Promise.withResolvers<void>();
  const { begin, held, marked, read, offered, faults } = await scene(dir, [near, far]);
  far.letGo = async () => await answering.promise;
  begin();
  await until(async () => (await held(0)).length === numbers.length);
  assert.deepEqual([await held(1), marked()], [[], 0]);
  assert.equal(read.length, numbers.length);
  await until(() => offered.length === numbers.length); // nor do places wait that aren't required
  answering.resolve();
  await until(() => marked() === numbers.length);
  assert.deepEqual(await held(1), numbers);
  assert.equal(offered.length, numbers.length);
  assert.ok(read.length > numbers.length, 'nothing is kept in memory for who comes later');
  assert.deepEqual(faults, []);
});

test('files that fail together at a place all go on with the first that it takes again', async () => {
  await using dir = await tempDir();
  const storage = new WaitingStorage();
  const { begin, marked, clock, faults, due } = await scene(dir, [storage]);
  const running = (): number => due.filter(({ task }) => task.isRunning).length;
  const failing = Promise.withResolvers<void>();
  let puts = 0;
  storage.letGo = async () => {
    if (++puts <= 2) return; // the first segment, and what stands beside it
    await failing.promise;
    throw new HoldfastError('storage-failed', `put ${puts} failed`);
  };
  begin();
  await until(() => puts === 8);
  assert.deepEqual([marked(), running()], [1, 6]);
  failing.resolve();
  await until(() => running() === 0);
  begin();
  assert.equal(running(), 0, 'it is left alone for a time');
  const answering = Promise.withResolvers<void>();
  storage.letGo = async () => await answering.promise;
  clock.pass(1000);
  begin();
  assert.equal(running(), 1, 'one finds out whether it is back');
  answering.resolve();
  await until(() => marked() === numbers.length);
  assert.deepEqual(faults, []);
});

test('a file that is none of the log is told and left alone for a time, and the others go on', async () => {
  await using dir = await tempDir();
  const storages = [new MemoryStorage(), new MemoryStorage()];
  const { begin, marked, read, faults, clock, spool, isQuiet } = await scene(dir, storages, { refused: 3 });
  begin();
  await until(() => marked() === numbers.length - 1 && isQuiet());
  begin();
  const tries = (): number => read.filter((file) => file === nameOf(3)).length;
  const before = tries();
  assert.ok(before <= storages.length, String(before));
  assert.equal(spool.failure(nameOf(3))?.code, 'refused');
  clock.pass(30_000);
  begin();
  await until(() => tries() > before);
  await until(isQuiet);
  assert.deepEqual(faults, []);
});

test('nothing is put behind what another’s is in the way of, though the file can’t be read any more', async () => {
  await using dir = await tempDir();
  const storages = [new MemoryStorage(), new MemoryStorage()];
  const of: Scene = { anothers: 3, why: 'wanted' };
  const { begin, held, clock, read, unread, faults, tasks, isQuiet } = await scene(dir, storages, of);
  begin();
  await until(() => tasks.hasConflict && isQuiet());
  unread.add(nameOf(3));
  clock.pass(30_000);
  const before = read.length;
  begin();
  await until(() => read.length > before && isQuiet());
  assert.equal(read.at(-1), nameOf(3));
  assert.deepEqual(await held(0), [1, 2, 3]);
  assert.equal(tasks.inTheWayOf(nameOf(4))?.code, 'log-conflict');
  assert.deepEqual(faults, []);
});

test('behind a file that can’t be read nothing is put where another’s may stand under its name, and all of it elsewhere', async () => {
  for (const number of [3, 1]) {
    await using dir = await tempDir();
    const storages = [new MemoryStorage(), new MemoryStorage()];
    const { begin, held, faults, isQuiet } = await scene(dir, storages, { anothers: number, refused: number });
    begin();
    await until(async () => (await held(1)).length === numbers.length - 1 && isQuiet());
    assert.deepEqual(
      await held(0),
      numbers.filter((each) => each <= number),
    );
    assert.deepEqual(faults, []);
  }
});

test('what another’s was in the way of stays another’s once it was dropped: other places alone go on behind it', async () => {
  await using dir = await tempDir();
  const storages = [new MemoryStorage(), new MemoryStorage()];
  const { begin, held, faults, tasks, isQuiet } = await scene(dir, storages, { anothers: 3 });
  begin();
  await until(() => tasks.hasConflict && isQuiet());
  for (const number of [3, 4, 5, 6, 7, 8, 9]) await tasks.drop(nameOf(number));
  tasks.keep([nameOf(10)], []);
  begin();
  await until(async () => (await held(1)).includes(10) && isQuiet());
  assert.deepEqual(await held(0), [1, 2, 3]);
  assert.equal(tasks.inTheWayOf(nameOf(10))?.code, 'log-conflict', 'a push is told');
  assert.deepEqual(tasks.takenIn(nameOf(10)), ['place-0']);
  assert.deepEqual(faults, []);
});

test('a damaged object holds up its own file alone, in words, until it is removed', async () => {
  await using dir = await tempDir();
  const storages = [new MemoryStorage(), new MemoryStorage()];
  const { begin, held, marked, spool, clock, faults, isQuiet } = await scene(dir, storages, { damaged: 3 });
  begin();
  await until(() => marked() === numbers.length - 1 && isQuiet());
  clock.pass(30_000);
  begin();
  await until(async () => (await held(1)).length === numbers.length && isQuiet());
  assert.deepEqual(await held(0), numbers, 'the damaged one among them');
  const { code, message = '', next } = spool.failure(nameOf(3)) ?? {};
  assert.deepEqual([code, message.includes(keyOf(3))], ['storage-exists', true]);
  assert.match(next ?? '', /^Remove that one object from the storage/);
  await storages[0]?.remove(keyOf(3));
  clock.pass(30_000);
  begin();
  await until(() => marked() === numbers.length && isQuiet());
  assert.deepEqual(faults, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent, type Listener } from '../../../events/events.ts';
import type { Extent } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import type { Repository } from '../../../repository/repository.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { dropAll } from './dropping.ts';
import { Gaps } from './gaps.ts';
import { Notes } from './notes.ts';
import { ArchivePlace } from './place.ts';
import { SpoolFolder } from './spool-folder.ts';
import { Spool } from './spool.ts';

const { signal } = new AbortController();
const name = { component: 'shop-db', stream: '7' };
const at = (from: bigint, to: bigint, takenIn: readonly string[] = []) => ({ epoch: 1, from, to, takenIn });

test('what was dropped is known after a kill, with where another’s stands, until it is said, and no marker is believed', async () => {
  await using dir = await tempDir();
  const spool = (): Spool => new Spool(dir.file('state'), 'shop-db', '7');
  await spool().make();
  const dropped = [at(3n, 5n, ['near', 'ok']), at(0xffff_ffff_ffff_0000n, 0xffff_ffff_ffff_ffffn)];
  await spool().notes.addGaps(dropped);
  await spool().mark('000000010000000000000001', { id: 'one', atMs: 1 });
  spool().begin();
  spool().keepOnly(new Set());
  assert.deepEqual(spool().notes.gaps(), dropped);
  assert.deepEqual(spool().look(), { wanted: [], marked: [] });
  for (const one of dropped) spool().notes.forgetGap(one);
  assert.deepEqual(spool().notes.gaps(), []);
});

test('what a worker was killed before it let go of is not dropped: the server hands it over still', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  const { notes } = spool;
  await notes.addGaps([extentIn(3, 8), extentIn(9, 10)].map((extent) => ({ ...extent, takenIn: [] })));
  const repository = await newRepository(new MemoryStorage());
  await using place = placeOf(repository);
  const gaps = new Gaps({ notes, places: [place.place], name, listener: silent, signal });
  const handedOver = [4, 5, 9].map(extentAt);
  gaps.spare(handedOver);
  const said = async () => {
    await gaps.ended();
    return (await openLog(repository, name).list()).gaps;
  };
  gaps.look(handedOver);
  assert.deepEqual(await said(), [extentIn(3, 4), extentIn(6, 8)]);
  gaps.release(extentAt(4));
  gaps.release(extentAt(9));
  gaps.look([]);
  assert.deepEqual(await said(), [extentIn(3, 4), extentIn(5, 6), extentIn(6, 8)], 'what it let go of after all');
  assert.deepEqual([notes.gaps(), gaps.areAny], [[], false]);
});

test('what was noted before a kill, and is dropped now, is said once, and a base backup is due', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  const { notes } = spool;
  await notes.addGaps([{ ...extentIn(3, 8), takenIn: [] }]);
  const repository = await newRepository(new MemoryStorage());
  await using place = placeOf(repository);
  const told: string[] = [];
  const listener: Listener = (event) => void (event.kind === 'note' && told.push(event.name));
  const gaps = new Gaps({ notes, places: [place.place], name, listener, signal });
  gaps.spare([extentAt(4), extentAt(5)]);
  await gaps.add(
    [4, 5].map((number) => ({ ...extentAt(number), takenIn: [] })),
    'it was full',
  );
  gaps.look([]);
  await gaps.ended();
  assert.deepEqual((await openLog(repository, name).list()).gaps, [extentIn(3, 8)]);
  assert.deepEqual(told, ['base-backup-due', 'log-gap']);
  assert.deepEqual(notes.gaps(), []);
});

test('what is left on a disk that takes no marker amid dropping is no gap, nor said to be one, though the disk takes no note either', async () => {
  await using dir = await tempDir();
  let isFull = false;
  class Filling extends SpoolFolder {
    override async emptyForGood(names: readonly string[]): Promise<void> {
      if (isFull && names.length > 0) throw new HoldfastError('storage-full', 'no room');
      await super.emptyForGood(names);
    }
  }
  const folder = new Filling(dir.path);
  const notes = new Notes(folder);
  const repository = await newRepository(new MemoryStorage());
  await using place = placeOf(repository);
  const warnings: string[] = [];
  const gaps = new Gaps({ notes, places: [place.place], name, listener: silent, signal });
  const segments = [1, 2, 3, 4].map((number) => ({ name: `${number}`, extent: extentAt(number) }));
  const tasks = {
    takenIn: () => [],
    drop: async (file: string) => {
      isFull = file === '3';
      if (isFull) throw new HoldfastError('storage-full', 'no room');
    },
  };
  const listener: Listener = (event) => void (event.kind === 'warning' && warnings.push(event.message));
  const dropping = dropAll(segments, { component: 'shop-db', listener, tasks, gaps });
  await assert.rejects(dropping, { code: 'storage-full' });
  assert.match(warnings.join(), /^2 segments from 1 on were dropped/);
  gaps.look([extentAt(3), extentAt(4)]);
  await gaps.ended();
  assert.deepEqual((await openLog(repository, name).list()).gaps, [extentIn(1, 3)]);
  for (const number of [3, 4]) gaps.release(extentAt(number));
  assert.deepEqual(notes.gaps(), []);
});

test('what is recorded alone, since another’s stands in its place, is noted until it is, and for the next worker where it can’t be', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  const { notes } = spool;
  const taken = { ...extentAt(1), takenIn: ['near'] };
  const repository = await newRepository(new MemoryStorage());
  await openLog(repository, name).put(extentAt(1), Buffer.from('another’s'), { facts: {} });
  await using place = placeOf(repository);
  let told = Promise.withResolvers<void>();
  const listener: Listener = (event) => void (event.kind === 'note' && event.name === 'log-gap' && told.resolve());
  await notes.addGaps([taken]);
  for (const isRecorded of [false, true]) {
    told = Promise.withResolvers<void>();
    const recorded = Promise.withResolvers<boolean>();
    const areRecorded = async (): Promise<boolean> => await recorded.promise;
    const gaps = new Gaps({ notes, places: [place.place], name, listener, signal, areRecorded });
    gaps.look([]);
    await told.promise;
    assert.deepEqual(notes.gaps(), [taken], 'a kill now loses nothing');
    recorded.resolve(isRecorded);
    await gaps.ended();
    assert.deepEqual(notes.gaps(), isRecorded ? [] : [taken]);
    assert.ok(!gaps.areAny, 'it is told once');
  }
});

function placeOf(repository: Repository): AsyncDisposable & { readonly place: ArchivePlace } {
  const place = new ArchivePlace({
    ...{ dataDirectory: 'none', name, clock: systemClock, listener: silent, signal },
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
  });
  return { place, [Symbol.asyncDispose]: async () => await place.close() };
}

const extentIn = (from: number, to: number): Extent => ({ epoch: 1, from: BigInt(from) << 24n, to: BigInt(to) << 24n });
const extentAt = (number: number): Extent => extentIn(number, number + 1);

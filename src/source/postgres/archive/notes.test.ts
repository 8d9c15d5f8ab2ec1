import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent, type Listener } from '../../../events/events.ts';
import type { Extent } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
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
  spool().make();
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
  spool.make();
  const { notes } = spool;
  await notes.addGaps([at(3n, 8n, ['near']), at(9n, 10n)]);
  await new Gaps({ notes, places: [], name, listener: silent, signal }).spare([at(4n, 5n), at(5n, 6n), at(9n, 10n)]);
  assert.deepEqual(notes.gaps(), [at(3n, 4n, ['near']), at(6n, 8n, ['near'])]);
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
  const place = new ArchivePlace({
    ...{ dataDirectory: dir.path, name, clock: systemClock, listener: silent, signal },
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
  });
  const warnings: string[] = [];
  const gaps = new Gaps({ notes, places: [place], name, listener: silent, signal });
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
  gaps.look();
  await gaps.ended();
  const { gaps: said } = await openLog(repository, name).list();
  assert.deepEqual(said, [{ ...extentAt(1), to: extentAt(2).to }]);
  assert.deepEqual(notes.gaps(), []);
  await place.close();
});

test('what is recorded alone, since another’s stands in its place, is noted until it is, and for the next worker where it can’t be', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  spool.make();
  const { notes } = spool;
  const taken = { ...extentAt(1), takenIn: ['near'] };
  const repository = await newRepository(new MemoryStorage());
  await openLog(repository, name).put(extentAt(1), Buffer.from('another’s'), { facts: {} });
  const place = new ArchivePlace({
    ...{ dataDirectory: dir.path, name, clock: systemClock, listener: silent, signal },
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
  });
  let told = Promise.withResolvers<void>();
  const listener: Listener = (event) => void (event.kind === 'note' && event.name === 'log-gap' && told.resolve());
  await notes.addGaps([taken]);
  for (const isRecorded of [false, true]) {
    told = Promise.withResolvers<void>();
    const recorded = Promise.withResolvers<boolean>();
    const areRecorded = async (): Promise<boolean> => await recorded.promise;
    const gaps = new Gaps({ notes, places: [place], name, listener, signal, areRecorded });
    gaps.look();
    await told.promise;
    assert.deepEqual(notes.gaps(), [taken], 'a kill now loses nothing');
    recorded.resolve(isRecorded);
    await gaps.ended();
    assert.deepEqual(notes.gaps(), isRecorded ? [] : [taken]);
    assert.ok(!gaps.areAny, 'it is told once');
  }
  await place.close();
});

function extentAt(number: number): Extent {
  return { epoch: 1, from: BigInt(number) << 24n, to: BigInt(number + 1) << 24n };
}

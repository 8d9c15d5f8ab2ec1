import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { mib, segment } from '../../../../test/support/handed-segments.ts';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent, type Listener } from '../../../events/events.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { Gaps } from './gaps.ts';
import { ArchivePlace } from './place.ts';
import { Spool } from './spool.ts';

const { signal } = new AbortController();

test('behind another’s log a gap is told and recorded alone: no base backup is of use there', async () => {
  await using dir = await tempDir();
  const name = { component: 'shop-db', stream: '7' };
  const repository = await newRepository(new MemoryStorage());
  const store = openLog(repository, name);
  const others = segment(3, 'another’s');
  await store.put(others.extent, others.bytes, { facts: {} });
  const place = new ArchivePlace({
    ...{ dataDirectory: dir.path, name, clock: systemClock, listener: silent, signal },
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
  });
  await place.taken.add(others.extent);
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  mkdirSync(dir.file('state/spool/shop-db/7'), { recursive: true });
  const dropped = { epoch: 1, from: BigInt(2 * mib), to: BigInt(6 * mib), takenIn: ['near'] };
  await spool.notes.addGaps([dropped]);
  const told: unknown[] = [];
  const listener: Listener = (event) => {
    if (event.kind === 'note') told.push([event.data['from'], event.data['to']]);
  };
  const said = { lacking: 0, recorded: 0 };
  const gaps = new Gaps({
    ...{ notes: spool.notes, places: [place], name, listener, signal },
    onLacking: async () => void said.lacking++,
    areRecorded: async () => ++said.recorded > 0,
  });
  gaps.look([]);
  await gaps.ended();
  assert.deepEqual(told, [
    ['0/200000', '0/300000'],
    ['0/400000', '0/600000'],
    ['0/300000', '0/400000'],
  ]);
  assert.deepEqual((await store.list()).gaps, [{ epoch: 1, from: BigInt(2 * mib), to: BigInt(3 * mib) }]);
  assert.deepEqual([said, spool.notes.gaps()], [{ lacking: 1, recorded: 1 }, []]);
  await place.close();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import type { Extent } from '../../../log/log.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { Gaps } from './gaps.ts';
import { ArchivePlace } from './place.ts';
import { Spool } from './spool.ts';

const name = { component: 'shop-db', stream: '7' };
const extentIn = (from: number, to: number): Extent => ({ epoch: 1, from: BigInt(from) << 24n, to: BigInt(to) << 24n });

test('what was dropped is named as a gap where an object stands under its name that can’t be read, and not where that can be', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  const { notes } = spool;
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const store = openLog(repository, name);
  const keysOf = async (number: number): Promise<readonly string[]> => {
    const before = new Set(storage.durable.keys());
    await store.put(extentIn(number, number + 1), Buffer.alloc(64, number), { facts: {} });
    return [...storage.durable.keys()].filter((key) => !before.has(key)).toSorted();
  };
  await keysOf(1);
  const [cutOff = assert.fail(), aboutIt = assert.fail()] = await keysOf(2);
  await storage.put(cutOff, [Buffer.from('half of it')]);
  await storage.remove(aboutIt);
  const [, alone = assert.fail()] = await keysOf(3);
  await storage.remove(alone); // as of a kill between the two
  const warnings: string[] = [];
  let owed = 0;
  const { signal } = new AbortController();
  const place = new ArchivePlace({
    ...{ dataDirectory: dir.path, name, clock: systemClock, listener: silent, signal },
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
  });
  const gaps = new Gaps({
    ...{ notes, places: [place], name, signal },
    listener: (event) => void (event.kind === 'warning' && warnings.push(event.message)),
    onLacking: async () => void owed++,
  });
  await gaps.add([{ ...extentIn(1, 5), takenIn: [] }], 'too much waited');
  gaps.look([]);
  await gaps.ended();
  assert.deepEqual((await store.list()).gaps, [extentIn(2, 3), extentIn(4, 5)]);
  assert.match(await store.gapReason(extentIn(2, 3)), /what stands there under its name can’t be read/);
  assert.match(
    warnings.join('\n'),
    /^what near holds of the log from 0\/2000000 to 0\/3000000 can’t be read.*take a base backup$/,
  );
  assert.deepEqual([owed, notes.gaps()], [1, []]);
  await place.close();
});

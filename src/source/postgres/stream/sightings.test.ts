import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import { openLog } from '../../../log/store.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { tellSightings } from './sightings.ts';

test('once a clock was put back, what is seen now takes the place of what was seen in its future', async () => {
  const component = 'shop-db';
  const store = openLog(await newRepository(new MemoryStorage()), { component, stream: '7' });
  const times = [2_000n, 1_000n];
  const controller = new AbortController();
  const clock = {
    ...systemClock,
    sleep: async () => {
      if (times.length === 0) controller.abort(new Error('enough'));
      await Promise.resolve();
      controller.signal.throwIfAborted();
    },
  };
  const telling = tellSightings(
    {
      ...{ component, clock, listener: silent, everyMs: 1, places: [{ store, durable: 9n, repository: 'near' }] },
      sighting: () => ({ epoch: 1, at: 9n, timeNs: times.shift() ?? 0n, heartbeatNs: undefined }),
    },
    controller.signal,
  );
  await assert.rejects(telling, /enough/);
  assert.equal((await store.sighting())?.timeNs, 1_000n);
});

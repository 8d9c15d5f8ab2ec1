import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf, type BlobId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Event } from '../events/events.ts';
import type { History } from '../log/log.ts';
import { extentText } from '../log/names.ts';
import { sourceKinds } from '../source/kinds.ts';
import type { Leader } from '../source/recovery.ts';
import { selectAll } from '../snapshot/restore.ts';
import { saveSnapshot } from '../snapshot/snapshots.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { restoreAsStandby } from './standby-restore.ts';

const about = { hostname: 'here', username: 'ann', uid: 0, gid: 0, excludes: [], programVersion: 'test', others: {} };
const restore = { overwrite: 'always', select: selectAll, extras: 'keep', mode: 'write', holes: 'dense' } as const;

/** What a standby of a cluster comes to whose only backup, of timeline 1, ended at 32: its error, and what was told. */
async function standbyOf(leader: () => Promise<Leader>): Promise<{ readonly error: string; readonly told: string }> {
  await using dir = await tempDir();
  const [clock, storage] = [new ManualClock(), new MemoryStorage()];
  const repository = await newRepository(storage);
  const tags = ['hf.component=shop-db', 'hf.rule=full'];
  const at = extentText({ stream: '7' }, { epoch: 1, from: 30n, to: 32n });
  const time = Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toString();
  const tree = 'a'.repeat(64) as BlobId;
  await saveSnapshot(repository, { ...about, time, tags: [...tags, `hf.log=${at}`], tree, paths: ['/shop-db'] });
  const events: Event[] = [];
  const { postgres = assert.fail() } = sourceKinds;
  const open: typeof postgres.open = (options, surroundings) => {
    const { recovery = assert.fail(), ...opened } = postgres.open?.(options, surroundings) ?? assert.fail();
    return { ...opened, recovery: { ...recovery, leader } };
  };
  const context = {
    ...shopContext({ storage, clock, stateFolder: dir.file('state') }),
    kinds: { ...sourceKinds, postgres: { ...postgres, open } },
    listener: (event: Event) => void events.push(event),
  };
  const failed: unknown = await restoreAsStandby(context, {
    component: 'shop-db',
    ...{ target: rawPathOf(dir.file('standby')), moved: [], onBase: () => undefined, onCopy: () => undefined },
    restore: { ...restore, verify: 'no', selectXattr: 'all' },
    fetching: { program: { path: '/holdfast', options: [] }, stateFolder: dir.file('state') },
  }).catch((error: unknown) => error);
  const error = failed instanceof HoldfastError ? failed.message : '';
  assert.equal(existsSync(dir.file('standby')), error === '', 'nothing is written where it is refused');

  const told = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  return { error, told: told.join('; ') };
}

test('the primary is asked which cluster and timeline it is: a standby that could never follow it is refused by name', async () => {
  const history: History = { epoch: 2, parent: 1, forkedAt: 31n, bytes: new Uint8Array() };
  const another = await standbyOf(async () => ({ stream: '8', epoch: 1, histories: [] }));
  assert.match(another.error, /the primary is cluster 8, and the newest backup is of 7/);
  const forked = await standbyOf(async () => ({ stream: '7', epoch: 2, histories: [history] }));
  assert.match(forked.error, /no backup leads to timeline 2/);
  const down = new HoldfastError('source-failed', 'nobody listens');
  const away = await standbyOf(async () => await Promise.reject(down));
  assert.match(away.told, /the primary can’t be asked which timeline it is on.*: nobody listens/);
  const right = await standbyOf(async () => ({ stream: '7', epoch: 1, histories: [] }));
  assert.deepEqual([away.error, right.error], ['', '']);
  assert.doesNotMatch(right.told, /primary/);
});

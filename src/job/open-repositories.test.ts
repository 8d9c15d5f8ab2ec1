import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobBytes, newRepository, storeBlobs, testPassword } from '../../test/support/repository.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { silent } from '../events/events.ts';
import { openRepository } from '../repository/open.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { RepositoryAccess } from './job.ts';
import { OpenRepositories } from './open-repositories.ts';

const holder = { hostname: 'here', username: 'ann', pid: 1, uid: 0, gid: 0 };

class Closed extends MemoryStorage {
  closed = 0;

  override async [Symbol.asyncDispose](): Promise<void> {
    this.closed += 1;
    await super[Symbol.asyncDispose]();
  }
}

interface Place {
  readonly clock: ManualClock;
  readonly repositories: OpenRepositories;
  storage: Closed;
  /** Thrown by whatever opens it. */
  failure?: HoldfastError | undefined;
  opened: number;
}

/** One repository, by whatever name, and how often it was opened. */
async function place(): Promise<Place> {
  const clock = new ManualClock();
  const storage = new Closed();
  await newRepository(storage);
  const open: RepositoryAccess['open'] = async () => {
    at.opened += 1;
    if (at.failure !== undefined) throw at.failure;
    return await openRepository({ storage: at.storage, clock, password: testPassword });
  };
  const accessTo = (): RepositoryAccess => ({ open, holder, locking: 'none' });
  const { signal } = new AbortController();
  const at: Place = { clock, storage, opened: 0, repositories: new OpenRepositories({ accessTo, clock, signal }) };
  return at;
}

test('it is opened once for all who need it, and closed when the command is over', async () => {
  const at = await place();
  const access = at.repositories.access('near');
  at.repositories.begin(['near']);
  const all = await Promise.all([access.open(), access.open()]);
  for (const one of all) await one[Symbol.asyncDispose]();
  await using again = await access.open();
  assert.equal(again.config.id, all[0].config.id);
  assert.deepEqual([at.opened, at.storage.closed], [1, 0]);
  await at.repositories[Symbol.asyncDispose]();
  assert.equal(at.storage.closed, 1);
});

test('each has an index of its own, so what others wrote meanwhile counts as soon as it is loaded', async () => {
  const at = await place();
  await using repositories = at.repositories;
  const access = repositories.access('near');
  const earlier = await access.open();
  await earlier.loadIndex(silent);
  await using other = await openRepository({ storage: at.storage, clock: at.clock, password: testPassword });
  const [id] = await storeBlobs(other, 'data', [blobBytes('new', 1000)]);
  assert.ok(id !== undefined);
  const later = await access.open();
  assert.equal(later.index.size, 0);
  await later.loadIndex(silent);
  assert.deepEqual([later.index.has('data', id), earlier.index.has('data', id)], [true, false]);
});

test('a lock that one of them lost doesn’t keep the others from writing', async () => {
  const at = await place();
  await using repositories = at.repositories;
  const [one, other] = [await repositories.access('near').open(), await repositories.access('near').open()];
  one.writeGate.shut(new HoldfastError('lock-lost', 'somebody took it'));
  await assert.rejects(one.writeFile('snapshots', Buffer.from('{}')), { code: 'lock-lost' });
  await other.writeFile('snapshots', Buffer.from('{}'));
});

test('where another disk stands in its place, or its key was removed, it is opened from the start', async () => {
  const at = await place();
  await using repositories = at.repositories;
  const access = repositories.access('near');
  const first = await access.open();
  const { id } = first.config;
  const [key = ''] = [...at.storage.visible.keys()].filter((name) => name.startsWith('keys/'));
  const another = new Closed();
  await newRepository(another);
  const before = at.storage;
  at.storage = another;
  await before.remove(key);
  const second = await access.open();
  assert.notEqual(second.config.id, id);
  assert.equal(at.opened, 2);
});

test('what failed to open is not tried again at once, but some seconds later', async () => {
  const at = await place();
  await using repositories = at.repositories;
  const access = repositories.access('near');
  at.failure = new HoldfastError('storage-missing', 'the disk is away');
  at.repositories.begin(['near']);
  for (const _ of [1, 2, 3]) await assert.rejects(access.open(), { code: 'storage-missing' });
  assert.equal(at.opened, 1);
  at.failure = undefined;
  at.clock.advance(10_000);
  await access.open();
  assert.equal(at.opened, 2);
});

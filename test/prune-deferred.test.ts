import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../src/events/events.ts';
import type { JobContext } from '../src/job/job.ts';
import type { PruneStatistics, SweepPlan } from '../src/repository/prune.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import type { Storage } from '../src/storage/storage.ts';
import { HoldfastError, hasCode } from '../src/errors/error.ts';
import { backupFolder, jobContext, newRepository } from './support/engine.ts';
import { MovableClock } from './support/movable-clock.ts';
import { rewriteIndex } from '../src/repository/rewrite-index.ts';
import { check } from '../src/job/check.ts';
import { wayFor } from '../src/job/prune.ts';
import { anySnapshot } from '../src/snapshot/snapshots.ts';
import type { FileId } from '../src/bytes/ids.ts';
import { silent } from '../src/events/events.ts';
import {
  assertWhole,
  fillFolder,
  journalsOf,
  keysOf,
  leaving,
  lockedByOther,
  type Leaving,
} from './support/leaving.ts';
import { LaggingStorage } from './support/lagging-storage.ts';
import { keepLast, pruneAll } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { besidePrune } from './support/prune-matrix.ts';
import { snapshotsRepaired } from './support/repairing.ts';

const deferred = { way: 'deferred' } as const;

async function namedPacks({ context }: Leaving): Promise<ReadonlySet<string>> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  return new Set([...repository.index.all()].map(({ pack }) => pack));
}

async function whole(at: Leaving, where: string): Promise<void> {
  await assertWhole(at.storage, at.contents, at.dir.file('data'), where);
}

/** After two more prunes, a day apart, nothing is left that no snapshot needs. */
async function assertEmptied(at: Leaving): Promise<void> {
  for (const _ of [1, 2]) {
    at.clock.skipHours(25);
    await pruneAll(at.context, deferred);
  }
  assert.deepEqual(await journalsOf(at.storage), []);
  const { plan } = await planned(at.context);
  assert.deepEqual([plan?.blobs.unused, plan?.packs.unreferenced, plan?.blobs.duplicate], [0, 0, 0]);
  await whole(at, 'in the end');
}

async function planned(context: JobContext): Promise<{ sweep?: SweepPlan; plan?: PruneStatistics }> {
  const shown: { sweep?: SweepPlan; plan?: PruneStatistics } = {};
  await pruneAll(context, {
    way: 'deferred',
    mode: 'dry-run',
    onSweep: (plan) => (shown.sweep = plan),
    onPlan: (plan) => (shown.plan = plan),
  });
  return shown;
}

test('what no snapshot needs leaves the index at once, and the storage a day later, not before', async () => {
  await using at = await leaving();
  const before = await keysOf(at.storage, 'data/');
  const first = await pruneAll(at.context, deferred);
  assert.ok(first.leaving.packs > 0 && first.leaving.bytes > 0);
  assert.equal(first.removedPacks, 0);
  const after = await keysOf(at.storage, 'data/');
  assert.ok(
    before.every((key) => after.includes(key)),
    'every pack is still there',
  );
  const named = await namedPacks(at);
  assert.equal(after.filter((key) => !named.has(key.slice(-64))).length, first.leaving.packs);
  await whole(at, 'once dropped');
  at.clock.skipHours(23);
  const second = await pruneAll(at.context, deferred);
  assert.deepEqual([second.removedPacks, second.leaving.packs], [0, first.leaving.packs]);
  const laterNs = (second.leaving.returnsNs ?? 0n) - (first.leaving.returnsNs ?? 0n);
  assert.ok(laterNs >= 0n && laterNs < 60_000_000_000n, 'the time that was told holds');
  at.clock.skipHours(2);
  const third = await pruneAll(at.context, deferred);
  assert.deepEqual([third.removedPacks, third.removedBytes], [first.leaving.packs, first.leaving.bytes]);
  assert.deepEqual(await journalsOf(at.storage), []);
  await whole(at, 'once deleted');
});

test('while others are at work packs are only marked: the index stays, and the next prune goes on', async () => {
  await using at = await leaving();
  const indexes = await keysOf(at.storage, 'index/');
  {
    await using _other = await lockedByOther(at.context);
    const { leaving: marked, sweep } = await pruneAll(at.context, deferred);
    assert.ok(marked.packs > 0);
    assert.deepEqual([marked.returnsNs, sweep], [undefined, 'done']);
    const now = await keysOf(at.storage, 'index/');
    assert.ok(
      indexes.every((key) => now.includes(key)),
      'no index file is touched',
    );
    assert.equal((await pruneAll(at.context, deferred)).sweep, 'put-off');
    assert.equal((await journalsOf(at.storage)).length, 1, 'a later mark replaces the earlier one');
  }
  await whole(at, 'once marked');
  await assertEmptied(at);
});

test('a backup of ours stores anew what only marked packs hold, and they can go', async () => {
  await using at = await leaving();
  {
    await using _other = await lockedByOther(at.context);
    await pruneAll(at.context, deferred);
  }
  fillFolder(at.dir.file('data'), 1);
  await at.backUp();
  await whole(at, 'beside a mark');
  const { sweep } = await planned(at.context);
  assert.ok(sweep && sweep.drop.size > 0);
  assert.equal(sweep.unmark.size, 0);
  await assertEmptied(at);
});

test('a snapshot that came since the mark keeps the packs that only it needs', async (context) => {
  await using at = await leaving();
  {
    await using _other = await lockedByOther(at.context);
    await pruneAll(at.context, deferred);
  }
  const [oldest] = at.forgotten;
  assert.ok(oldest);
  await at.bringBack(oldest);
  const { sweep } = await planned(at.context);
  assert.ok(sweep && sweep.unmark.size > 0);
  await assertEmptied(at);
  prove(context, {
    claim: 'prune beside a backup that finds marked packs: they stay',
    count: `${sweep.unmark.size} packs`,
  });
});

for (const marks of ['kept', 'lost'] as const) {
  test(`a snapshot that came since the drop brings the packs back that it needs, marks of the index ${marks}`, async (context) => {
    await using at = await leaving();
    const { leaving: dropped } = await pruneAll(at.context, deferred);
    const [oldest] = at.forgotten;
    assert.ok(oldest && dropped.packs > 0);
    await at.bringBack(oldest);
    if (marks === 'lost') await rewriteWithoutMarks(at);
    assert.ok((await hintsOf(at)).includes('packs-put-off'), 'check says what to do');
    await assert.rejects(snapshotsRepaired(at.context, 'forget'), { code: 'refused', next: /holdfast prune/ });
    at.clock.skipHours(25);
    const { sweep } = await planned(at.context);
    assert.ok(sweep && sweep.recover.size > 0 && sweep.remove.size > 0);
    await pruneAll(at.context, deferred);
    await whole(at, 'once recovered');
    await assertEmptied(at);
    const claim = `prune beside a client without locks that ends after the drop, marks of the index ${marks}: its packs come back`;
    prove(context, { claim, count: `${sweep.recover.size} packs` });
  });
}

for (const way of ['instant', 'deferred'] as const) {
  test(`what only an index still marks for deletion is taken back where snapshots need it: ${way}`, async () => {
    await using at = await leaving();
    await pruneAll(at.context, deferred);
    for (const journal of await journalsOf(at.storage)) await at.storage.remove(journal);
    const [oldest] = at.forgotten;
    assert.ok(oldest);
    await at.bringBack(oldest);
    assert.ok((await hintsOf(at)).includes('packs-put-off'), 'check says what to do');
    await assert.rejects(snapshotsRepaired(at.context, 'forget'), { code: 'refused', next: /holdfast prune/ });
    const before = new Map(at.storage.durable);
    let planned: PruneStatistics | undefined;
    await pruneAll(at.context, { way, mode: 'dry-run', onPlan: (plan) => (planned = plan) });
    assert.ok(planned);
    assert.deepEqual(new Map(at.storage.durable), before, 'a dry run changes nothing');
    await pruneAll(at.context, { way });
    await whole(at, 'once taken back');
    await assertEmptied(at);
  });
}

/** Codes of what check finds that is no error. */
async function hintsOf({ context }: Leaving): Promise<readonly unknown[]> {
  const codes: unknown[] = [];
  const listener = (event: Event): void => {
    if (event.kind === 'note' && event.data['severity'] === 'hint') codes.push(event.data['code']);
  };
  await check({ ...context, listener }, { filter: anySnapshot, random: Math.random });
  return codes;
}

/** As restic does, which knows nothing of marks. */
async function rewriteWithoutMarks({ context }: Leaving): Promise<void> {
  await using repository = await context.access.open();
  const marked = new Set<FileId>();
  await repository.loadIndex(silent, {
    onRead: (_id, { packsToDelete }) => packsToDelete.forEach(({ id }) => marked.add(id)),
  });
  assert.ok(marked.size > 0);
  const { obsolete } = await rewriteIndex(repository, { without: marked });
  for (const id of obsolete) await repository.removeFile('index', id);
}

test('a listing that leaves a snapshot out, once, costs it nothing: the storage is asked twice', async () => {
  for (const begins of ['the drop', 'the deletion'] as const) {
    await using at = await leaving();
    {
      await using _other = begins === 'the drop' ? await lockedByOther(at.context) : undefined;
      await pruneAll(at.context, deferred);
    }
    const [oldest] = at.forgotten;
    assert.ok(oldest);
    const left = `snapshots/${await at.bringBack(oldest)}`;
    for (let times = 1; times <= 3; times += 1) {
      const storage = new LaggingStorage(at.storage.durable, at.clock);
      at.clock.skipHours(25);
      storage.lag({ prefix: 'snapshots/', atListing: times, hides: (key) => key === left });
      const failure = await pruneAll(jobContext(storage, at.clock), deferred).catch((error: unknown) => error);
      if (failure instanceof Error) assert.ok(hasCode(failure, 'storage-failed'), `${begins}: ${failure.message}`);
      storage.lag(undefined);
      for (const lock of await keysOf(storage, 'locks/')) await storage.remove(lock);
      await pruneAll(jobContext(storage, at.clock), deferred);
      await assertWhole(storage, at.contents, at.dir.file('data'), `${begins}, listing ${times}`);
    }
  }
});

test('two prunes of ours at once lose nothing and leave nothing', async (context) => {
  await using at = await leaving();
  const runs = await Promise.allSettled([1, 2, 3].map(() => pruneAll(at.context, deferred)));
  for (const run of runs) if (run.status === 'rejected') assert.ok(hasCode(run.reason, 'locked'));
  assert.ok(runs.some(({ status }) => status === 'fulfilled'));
  await whole(at, 'side by side');
  await assertEmptied(at);
  const table = besidePrune('prune of ours', { 'in the mark': 'whole, one waits for the lock' });
  prove(context, {
    claim: 'three prunes of ours at once lose nothing and leave nothing',
    count: '1 repository',
    table,
  });
});

test('an instant prune beside journals removes what is only marked, and leaves what was dropped to its time', async () => {
  await using at = await leaving();
  {
    await using _other = await lockedByOther(at.context);
    await pruneAll(at.context, deferred);
  }
  await pruneAll(at.context, { way: 'instant' });
  assert.deepEqual(await journalsOf(at.storage), []);
  const named = await namedPacks(at);
  assert.ok((await keysOf(at.storage, 'data/')).every((key) => named.has(key.slice(-64))));
  await whole(at, 'instantly');

  await using next = await leaving();
  const { leaving: dropped } = await pruneAll(next.context, deferred);
  assert.equal((await pruneAll(next.context, { way: 'instant' })).leaving.packs, dropped.packs);
  next.clock.skipHours(25);
  assert.equal((await pruneAll(next.context, { way: 'instant' })).removedPacks, dropped.packs);
  assert.deepEqual(await journalsOf(next.storage), []);
  await whole(next, 'instantly, a day later');
});

test('a dry run shows the sweep and the mark as they would be, and changes nothing', async () => {
  await using at = await leaving();
  const image = new Map(at.storage.durable);
  const first = await planned(at.context);
  assert.equal(first.sweep, undefined);
  assert.ok(first.plan && first.plan.blobs.removeTotal > 0);
  assert.deepEqual(new Map(at.storage.durable), image);
  await pruneAll(at.context, deferred);
  at.clock.skipHours(25);
  const then = new Map(at.storage.durable);
  const { sweep, plan } = await planned(at.context);
  assert.ok(sweep && sweep.remove.size > 0);
  assert.equal(plan?.blobs.removeTotal, 0);
  assert.deepEqual(new Map(at.storage.durable), then);
});

test('forget --prune beside others removes the snapshot alone, then marks', async () => {
  await using at = await leaving();
  fillFolder(at.dir.file('data'), 4);
  const kept = await at.backUp();
  for (const id of at.contents.keys()) if (id !== kept) at.contents.delete(id);
  await keepLast(at.context, 'prune', 'deferred');
  assert.ok((await journalsOf(at.storage)).length > 0);
  await whole(at, 'after forget --prune');
  await assertEmptied(at);
});

/** Says no to the removal of packs, as a lock on objects does. */
class Unwilling extends MemoryStorage {
  denied = true;

  override async remove(key: string): Promise<void> {
    if (this.denied && key.startsWith('data/')) throw new HoldfastError('storage-denied', `${key} is locked`);
    await super.remove(key);
  }
}

test('packs that the storage refuses to delete are kept and told, and the next prune tries again', async () => {
  await using at = await leaving();
  await pruneAll(at.context, deferred);
  at.clock.skipHours(25);
  const storage = new Unwilling(at.storage.durable, at.clock);
  const context = jobContext(storage, at.clock);
  at.clock.skipHours(25);
  const refused = await pruneAll(context, deferred);
  assert.ok(refused.keptPacks > 0);
  assert.equal(refused.removedPacks, 0);
  await assertWhole(storage, at.contents, at.dir.file('data'), 'refused');
  storage.denied = false;
  const again = await pruneAll(context, deferred);
  assert.deepEqual([again.removedPacks, again.keptPacks], [refused.keptPacks, 0]);
  assert.deepEqual(await journalsOf(storage), []);
});

test('a journal that can not be read is named by each prune and each backup, stops none, and can be discarded', async () => {
  await using at = await leaving();
  {
    await using _other = await lockedByOther(at.context);
    await pruneAll(at.context, deferred);
  }
  const [journal = ''] = await journalsOf(at.storage);
  const bytes = await at.storage.get(journal);
  const damaged = ['holdfast/prune/damaged', bytes.with(40, 1 ^ (bytes[40] ?? 0))] as const;
  const moved = ['holdfast/prune/moved', bytes] as const;
  const foreign = ['holdfast/prune/foreign', await otherKeysJournal()] as const;
  for (const [name, content] of [damaged, moved, foreign]) await at.storage.put(name, [content]);
  const warned: string[] = [];
  const listener = (event: Event): void => void (event.kind === 'warning' && warned.push(event.item));
  const names = ['holdfast/prune/damaged', 'holdfast/prune/foreign', 'holdfast/prune/moved'];
  assert.equal((await hintsOf(at)).filter((code) => code === 'journal-unreadable').length, 3);
  const { unread } = await backedUp(at, listener);
  assert.deepEqual([warned.splice(0), unread], [names, 0]);
  await pruneAll({ ...at.context, listener }, deferred);
  assert.deepEqual(warned.splice(0), names);
  await pruneAll({ ...at.context, listener }, { way: 'instant' });
  assert.deepEqual(warned.splice(0), names);
  await whole(at, 'beside unreadable journals');
  await pruneAll({ ...at.context, listener }, { ...deferred, journals: 'discard' });
  assert.deepEqual(warned, []);
  await assertEmptied(at);
});

async function backedUp(at: Leaving, listener: (event: Event) => void): Promise<{ readonly unread: number }> {
  const outcome = await backupFolder({ ...at.context, listener }, at.dir.file('data'));
  assert.ok(outcome.snapshot);
  const [held] = at.contents.values();
  at.contents.set(outcome.snapshot, held ?? new Map());
  return outcome;
}

async function otherKeysJournal(): Promise<Uint8Array> {
  await using other = await leaving();
  await using _other = await lockedByOther(other.context);
  await pruneAll(other.context, deferred);
  const [name = ''] = await journalsOf(other.storage);
  return await other.storage.get(name);
}

test('a day is a day by the later of two clocks, and never ends before it does by the storage’s', async () => {
  await using at = await leaving();
  await pruneAll(at.context, deferred);
  // The storage says that the journal came ten hours after what the journal itself says.
  at.clock.skipHours(10);
  const storage = new MemoryStorage(at.storage.durable, at.clock);
  at.clock.skipHours(20);
  assert.equal((await pruneAll(jobContext(storage, at.clock), deferred)).removedPacks, 0);
  // A host whose clock is days ahead of the storage's.
  const [fast, real] = [new MovableClock(), new MovableClock()];
  fast.skipHours(200);
  const behind = new MemoryStorage(at.storage.durable, real);
  assert.equal((await pruneAll(jobContext(behind, fast), deferred)).removedPacks, 0);
  at.clock.skipHours(5);
  assert.ok((await pruneAll(jobContext(storage, at.clock), deferred)).removedPacks > 0);
});

class Plain extends MemoryStorage {
  override readonly capabilities = { ownPrefixes: false, conditionalCreate: true, lock: false, versions: false };
}

test('where only restic’s files can be held a prune is instant, and a deferred one is refused by name', async () => {
  const storage: Storage = new Plain();
  await newRepository(storage);
  await assert.rejects(pruneAll(jobContext(storage), deferred), { code: 'unsupported' });
  await pruneAll(jobContext(storage), { way: 'fitting' });
  const own = new MemoryStorage();
  await newRepository(own);
  assert.deepEqual([wayFor(own, 'fitting'), wayFor(storage, 'fitting')], ['deferred', 'instant']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import type { Extent, History, LogStore } from '../../../log/log.ts';
import { leftKey } from '../../../log/names.ts';
import { openLog } from '../../../log/store.ts';
import type { Repository } from '../../../repository/repository.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { LogPlace } from '../../log.ts';
import { Filling } from './filling.ts';
import { ArchivePlace } from './place.ts';
import type { Notes } from './notes.ts';
import { Spool } from './spool.ts';

const { signal } = new AbortController();

test('a place that isn’t required gets no more once another’s stands there under the name of a file, and that is told once', async () => {
  await using dir = await tempDir();
  const repository = await newRepository(new MemoryStorage());
  const name = { component: 'shop-db', stream: '7' };
  const store = openLog(repository, name);
  const others = Buffer.from('1\t0/5000000\tanother’s\n');
  await store.putHistory({ epoch: 2, parent: 1, forkedAt: 0x500_0000n, bytes: others });
  const warnings: string[] = [];
  const listener: Listener = (event) => {
    if (event.kind === 'warning') warnings.push(event.message);
  };
  const place = { repository: 'far', required: false, windowMs: 1, open: async () => repository };
  const far = new ArchivePlace({ dataDirectory: dir.path, name, clock: systemClock, listener, signal, place });
  const filling = new Filling([far], {
    ...{ component: 'shop-db', clock: systemClock, listener, signal },
    notes: (await spoolIn(dir)).notes,
  });
  const own = { epoch: 2, parent: 1, forkedAt: 0x200_0000n, bytes: Buffer.from('1\t0/2000000\tno reason\n') };
  const later = { epoch: 3, parent: 2, forkedAt: 0x300_0000n, bytes: Buffer.from('2\t0/3000000\tno reason\n') };
  for (const history of [own, later]) await filling.offer({ kind: 'history', history });
  assert.deepEqual((await store.list()).histories, [2], 'what comes behind is not stored');
  assert.equal(warnings.length, 1);
  assert.match(warnings.join(), /far gets no more of the log/);
  await far.close();
});

async function away(): Promise<never> {
  return await Promise.reject(new HoldfastError('storage-failed', 'it is away'));
}

async function spoolIn(dir: TempDir): Promise<Spool> {
  const spool = new Spool(dir.file('state'), 'shop-db', '7');
  await spool.make();
  return spool;
}

/** Segments of a log, by their numbers, in a repository of its own. */
async function holding(
  numbers: readonly number[],
  contents = 'ours',
): Promise<{
  readonly repository: Repository;
  readonly storage: MemoryStorage;
  readonly store: LogStore;
  readonly held: () => Promise<readonly bigint[]>;
}> {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const store = openLog(repository, { component: 'shop-db', stream: '7' });
  for (const number of numbers) await store.put(numbered(number), Buffer.from(`${contents} ${number}`), { facts: {} });
  const held = async (): Promise<readonly bigint[]> => (await store.list()).segments.map(({ from }) => from >> 24n);
  return { repository, storage, store, held };
}

function numbered(number: number, epoch = 1): Extent {
  return { epoch, from: BigInt(number) << 24n, to: BigInt(number + 1) << 24n };
}

interface Filled extends Pick<LogPlace, 'repository' | 'required'> {
  /** undefined: it is away. */
  readonly of: Repository | undefined;
}

/** Until nothing is left to be filled. */
async function fill(places: readonly Filled[], isNew = '') {
  await using dir = await tempDir();
  const { notes } = await spoolIn(dir);
  if (isNew !== '') await notes.addNew(isNew);
  const warnings = await fillBy(notes, places);
  assert.ok(!notes.isNew(isNew), 'it was given all');
  return warnings;
}

async function fillBy(notes: Notes, places: readonly Filled[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  const listener: Listener = (event) => void (event.kind === 'warning' && warnings.push(event.message));
  const name = { component: 'shop-db', stream: '7' };
  const options = { dataDirectory: 'none', name, clock: systemClock, listener, signal };
  const opened = places.map(
    ({ of, ...place }) =>
      new ArchivePlace({
        ...options,
        place: { ...place, windowMs: 3_600_000, open: async () => of ?? (await away()) },
      }),
  );
  const filling = new Filling(opened, { component: 'shop-db', clock: systemClock, listener, signal, notes });
  do {
    await filling.ended();
    filling.look();
  } while (filling.isBusy);
  for (const place of opened) await place.close();
  return warnings;
}

test('a place that is required now gets what it missed before, from any other, and what it has removed stays away', async () => {
  const near = await holding([1, 2, 3, 4, 6, 7]);
  const far = await holding([3, 7]);
  const third = await holding([5]);
  const warnings = await fill([
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: true, of: far.repository },
    { repository: 'third', required: false, of: third.repository },
  ]);
  assert.deepEqual(await far.held(), [3n, 4n, 5n, 6n, 7n]);
  assert.deepEqual(await near.held(), [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  assert.deepEqual(warnings, []);
});

test('a required place that was empty, and whose filling was killed, gets what is older than what came meanwhile', async () => {
  const near = await holding([1, 2, 3, 4]);
  const far = await holding([4]);
  await fill(
    [
      { repository: 'near', required: true, of: near.repository },
      { repository: 'far', required: true, of: far.repository },
    ],
    'far',
  );
  assert.deepEqual(await far.held(), [1n, 2n, 3n, 4n]);
});

test('a place that is filled hears which timelines were left, and keeps it where it alone survives; what nobody sealed is not copied', async () => {
  const [near, far] = [await holding([1, 2]), await holding([])];
  await near.store.putHistory(historyAt(2));
  await near.store.put(numbered(2, 2), Buffer.from('undone'), { facts: {} });
  const left = { epoch: 2, at: 3n << 24n };
  await near.store.putLeft(left, 'restored in place, and undone');
  await near.storage.put(leftKey(near.store.name, { epoch: 1, at: 9n << 24n }), [Buffer.from('forged')]);
  const places = [
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: true, of: far.repository },
  ];
  await fill(places, 'far');
  assert.deepEqual((await far.store.list()).left, [left]);
  assert.equal(await far.store.leftReason(left), 'restored in place, and undone');
  const again = { epoch: 2, at: 4n << 24n };
  await near.store.putLeft(again, 'undone once more');
  await fill(places);
  assert.deepEqual((await far.store.list()).left, [left, again], 'also where it lacks nothing else');
});

test('what was filled from a place that has not all itself is due the rest still', async () => {
  await using dir = await tempDir();
  const { notes } = await spoolIn(dir);
  for (const repository of ['near', 'far']) await notes.addNew(repository);
  const [near, far] = [await holding([4]), await holding([])];
  const places = [
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: false, of: far.repository },
    { repository: 'full', required: true, of: undefined },
  ];
  await fillBy(notes, places);
  assert.deepEqual(await far.held(), [4n]);
  assert.deepEqual([notes.isNew('near'), notes.isNew('far')], [true, true]);
  const full = await holding([1, 2, 3, 4]);
  const all = places.map((one) => (one.of === undefined ? { ...one, of: full.repository } : one));
  for (let looks = 0; looks < 2; looks++) await fillBy(notes, all);
  assert.deepEqual(await far.held(), [1n, 2n, 3n, 4n]);
  assert.deepEqual([notes.isNew('near'), notes.isNew('far')], [false, false]);
});

test('places that hold two logs fill each other with nothing, and are named', async () => {
  const near = await holding([1, 2, 3, 4]);
  const far = await holding([1, 4], 'another’s');
  const warnings = await fill([
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: true, of: far.repository },
  ]);
  assert.deepEqual(await far.held(), [1n, 4n]);
  assert.deepEqual(warnings.length, 1);
  assert.match(warnings.join(), /far gets nothing of what near holds: .*two logs of timeline 1/);
});

test('a required place takes nothing from one that isn’t but what lies between its own: another server may write there', async () => {
  const near = await holding([1, 2, 4]);
  const empty = await holding([]);
  const far = await holding([1, 2, 3, 4, 5]);
  await far.store.putHistory(historyAt(4));
  await fill([
    { repository: 'near', required: true, of: near.repository },
    { repository: 'empty', required: true, of: empty.repository },
    { repository: 'far', required: false, of: far.repository },
  ]);
  assert.deepEqual(await near.held(), [1n, 2n, 3n, 4n]);
  assert.ok(!(await empty.held()).includes(5n));
  assert.deepEqual((await near.store.list()).histories, []);
});

test('places whose timelines of one number begin apart hold two logs, though no segment of theirs has one name', async () => {
  const [near, far] = [await holding([]), await holding([])];
  for (const [{ store }, number] of [
    [near, 4],
    [far, 2],
  ] as const) {
    await store.putHistory(historyAt(number));
    await store.put(numbered(number, 2), Buffer.from(`of ${number}`), { facts: {} });
  }
  const warnings = await fill([
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: false, of: far.repository },
  ]);
  assert.deepEqual(await far.held(), [2n]);
  assert.match(warnings.join(), /far gets no more of the log: .*two logs of timeline 2/);
});

/** Of timeline 2, which begins amid a segment of the first. */
function historyAt(number: number): History {
  const forkedAt = (BigInt(number) << 24n) + 0x100n;
  return { epoch: 2, parent: 1, forkedAt, bytes: Buffer.from(`1\t0/${forkedAt.toString(16)}\tno reason\n`) };
}

test('a segment that can’t be read in one place comes from another, or its hole is named; nothing is held up by it', async () => {
  const near = await holding([1, 2, 3, 4]);
  const far = await holding([1, 4]);
  const third = await holding([3]);
  for await (const { key } of near.storage.list('holdfast/log/'))
    if (/-(?:0{9}3|0{9}4)0{6}$/.test(key)) await overwrite(near.storage, key);
  const warnings = await fill([
    { repository: 'near', required: true, of: near.repository },
    { repository: 'far', required: true, of: far.repository },
    { repository: 'third', required: true, of: third.repository },
  ]);
  assert.deepEqual(await far.held(), [1n, 3n, 4n]);
  assert.match(warnings.join('; '), /far does not get the log from 0\/2000000 on of timeline 1 from near/);
  assert.doesNotMatch(warnings.join('; '), /does not take the log/);
});

test('what is past the window on a timeline that was left ends the filling of that timeline alone', async () => {
  const [near, far] = [await holding([]), await holding([])];
  const nowNs = systemClock.nowNs();
  for (const [epoch, ageNs] of [
    [3, 0n],
    [5, 10n ** 15n],
  ] as const) {
    const times = { earliestNs: nowNs - ageNs, latestNs: nowNs - ageNs };
    await near.store.put(numbered(epoch, epoch), Buffer.from('ours'), { times, facts: {} });
  }
  await fill(
    [
      { repository: 'near', required: true, of: near.repository },
      { repository: 'far', required: false, of: far.repository },
    ],
    'far',
  );
  assert.deepEqual(await far.held(), [3n]);
});

async function overwrite(storage: MemoryStorage, key: string): Promise<void> {
  await storage.remove(key);
  await storage.put(key, [Buffer.alloc(200)]);
}

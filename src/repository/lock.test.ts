import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import type { Clock } from '../clock/clock.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { silent } from '../events/events.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { createRepository } from './create.ts';
import { listLocks, lockRepository, removeAllLocks, removeStaleLocks, type LockOptions } from './lock.ts';
import type { Repository } from './repository.ts';

const minuteMs = 60_000;
const key = { hostname: 'h', username: 'u', password: 'p', kdf: { N: 2, r: 1, p: 1 } };
const holder = { hostname: 'here', username: 'ann', pid: 7, uid: 0, gid: 100 };

interface Stage {
  readonly storage: MemoryStorage;
  readonly repository: Repository;
  readonly clock: ManualClock;
}

class PromptStorage extends MemoryStorage {
  override readonly capabilities = {
    ...{ ownPrefixes: true, conditionalCreate: true, lock: false, versions: false },
    listsAtOnce: true,
  } as const;
}

async function stage(): Promise<Stage> {
  const storage = new MemoryStorage();
  const clock = new ManualClock();
  return { storage, clock, repository: await createRepository({ storage, clock, key, version: 2 }) };
}

function options(clock: ManualClock, mode: LockOptions['mode'], other: Partial<LockOptions> = {}): LockOptions {
  return { mode, holder, clock, retryMs: 0, signal: new AbortController().signal, listener: silent, ...other };
}

/** Lets time pass in steps, and what waits for it run. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate);
  }
}

/** Takes a lock, letting the time pass that it waits. */
async function take({ repository, clock }: Stage, mode: LockOptions['mode'], other: Partial<LockOptions> = {}) {
  const taking = lockRepository(repository, options(clock, mode, other));
  taking.catch(() => undefined);
  await pass(clock, 300);
  return taking;
}

test('shared locks stand side by side, an exclusive one alone', async () => {
  const at = await stage();
  const one = await take(at, 'shared');
  const two = await take(at, 'shared');
  await assert.rejects(take(at, 'exclusive'), { code: 'locked', exitCode: 11, message: /process 7 on here of ann/ });
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  const alone = await take(at, 'exclusive');
  await assert.rejects(take(at, 'exclusive'), { code: 'locked', message: /exclusively/ });
  await assert.rejects(take(at, 'shared'), { code: 'locked' });
  await alone[Symbol.asyncDispose]();
  assert.deepEqual(await listLocks(at.repository), []);
});

test('of two that take an exclusive lock at the same moment at most one gets it, and the other leaves none', async () => {
  const at = await stage();
  const both = Promise.allSettled([
    lockRepository(at.repository, options(at.clock, 'exclusive')),
    lockRepository(at.repository, options(at.clock, 'exclusive')),
  ]);
  await pass(at.clock, 400);
  const got = (await both).filter(({ status }) => status === 'fulfilled').length;
  assert.ok(got <= 1);
  assert.equal((await listLocks(at.repository)).length, got);
});

test('where listings never lag a lock needs no pause, and of two at any distance still at most one gets it', async () => {
  for (let turnsApart = 0; turnsApart < 40; turnsApart += 1) {
    const storage = new PromptStorage();
    const clock = new ManualClock();
    const repository = await createRepository({ storage, clock, key, version: 2 });
    const first = lockRepository(repository, options(clock, 'exclusive'));
    for (let turn = 0; turn < turnsApart; turn += 1) await Promise.resolve();
    const second = lockRepository(repository, options(clock, turnsApart % 2 === 0 ? 'exclusive' : 'shared'));
    // The clock stands still: who waits would never end.
    const taken = (await Promise.allSettled([first, second])).filter((each) => each.status === 'fulfilled');
    assert.ok(taken.length <= 1, `both were taken, ${turnsApart} turns apart`);
    assert.equal((await listLocks(repository)).length, taken.length);
    for (const { value } of taken) await value[Symbol.asyncDispose]();
  }
});

test('with --retry-lock the holder is waited for', async () => {
  const at = await stage();
  const first = await take(at, 'exclusive');
  const second = lockRepository(at.repository, options(at.clock, 'exclusive', { retryMs: minuteMs }));
  await pass(at.clock, 3_000);
  await first[Symbol.asyncDispose]();
  await pass(at.clock, 6_000);
  await (await second)[Symbol.asyncDispose]();
  const holding = await take(at, 'exclusive');
  const never = lockRepository(at.repository, options(at.clock, 'exclusive', { retryMs: 20_000 }));
  const refused = assert.rejects(never, { code: 'locked' });
  await pass(at.clock, 22_000);
  await refused;
  await holding[Symbol.asyncDispose]();
});

test('a lock that is refreshed for hours stays one file, not older than five minutes', async () => {
  const at = await stage();
  const lock = await take(at, 'shared');
  const first = lock.id;
  for (let minutes = 0; minutes < 60; minutes += 10) {
    await pass(at.clock, 10 * minuteMs);
    const locks = await listLocks(at.repository);
    assert.equal(locks.length, 1);
    assert.ok(at.clock.nowNs() - (locks[0]?.timeNs ?? 0n) < 302_000_000_000n);
  }
  assert.notEqual(lock.id, first);
  await lock[Symbol.asyncDispose]();
  assert.ok(!lock.signal.aborted);
});

test('after a suspension the lock goes on when its file is still there', async () => {
  const at = await stage();
  const lock = await take(at, 'exclusive');
  at.clock.advance(8 * 60 * minuteMs);
  await pass(at.clock, 2_000);
  assert.ok(!lock.signal.aborted);
  const locks = await listLocks(at.repository);
  assert.deepEqual(
    locks.map(({ id }) => id),
    [lock.id],
  );
  assert.ok(at.clock.nowNs() - (locks[0]?.timeNs ?? 0n) < 3_000_000_000n);
  await at.repository.writeFile('snapshots', Buffer.from('{}'));
  await lock[Symbol.asyncDispose]();
});

test('a lock whose file was removed while suspended is lost: work stops and nothing is written any more', async () => {
  const at = await stage();
  const lock = await take(at, 'shared');
  await removeAllLocks(at.repository);
  at.clock.advance(8 * 60 * minuteMs);
  await pass(at.clock, 2_000);
  assert.ok(lock.signal.aborted);
  assert.throws(() => lock.signal.throwIfAborted(), { code: 'lock-lost' });
  await assert.rejects(at.repository.writeFile('snapshots', Buffer.from('{}')), { code: 'lock-lost' });
  await lock[Symbol.asyncDispose]();
  assert.deepEqual(await listLocks(at.repository), []);
});

test('no write slips through between a resume and the next look at the lock', async () => {
  const { repository, clock } = await stage();
  let asleepNs = 0n;
  // As after a suspension: the time is another, and timers go on where they stood.
  const resumed: Clock = {
    nowNs: () => clock.nowNs() + asleepNs,
    monotonicMs: () => clock.monotonicMs(),
    sleep: async (ms, signal) => await clock.sleep(ms, signal),
  };
  const taking = lockRepository(repository, { ...options(clock, 'shared'), clock: resumed });
  await pass(clock, 300);
  const lock = await taking;
  await removeAllLocks(repository);
  asleepNs = 8n * 3_600_000_000_000n;
  const refused = assert.rejects(repository.writeFile('snapshots', Buffer.from('{}')), { code: 'lock-lost' });
  await pass(clock, 2_000);
  await refused;
  assert.deepEqual(await Array.fromAsync(repository.list('snapshots')), []);
  await lock[Symbol.asyncDispose]();
});

test('writes wait while it is uncertain whether the lock was lost', async () => {
  const at = await stage();
  const lock = await take(at, 'shared');
  at.clock.advance(8 * 60 * minuteMs);
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
  let written = false;
  const writing = at.repository.writeFile('snapshots', Buffer.from('{}')).then(() => (written = true));
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
  assert.ok(!written);
  await pass(at.clock, 1_000);
  await writing;
  await lock[Symbol.asyncDispose]();
});

test('an unreadable lock blocks, after it was read again for 35 seconds; an empty one is none', async () => {
  const at = await stage();
  const name = `locks/${'5'.repeat(64)}`;
  await at.storage.put(name, [Buffer.from('gibberish')]);
  const start = at.clock.monotonicMs();
  const taking = assert.rejects(lockRepository(at.repository, options(at.clock, 'shared')), {
    code: 'locked',
    next: /--remove-all/,
  });
  await pass(at.clock, 36_000);
  await taking;
  assert.ok(at.clock.monotonicMs() - start >= 35_000);
  await at.storage.put(name, []);
  const lock = await take(at, 'exclusive');
  await lock[Symbol.asyncDispose]();
});

test('an interrupted attempt leaves no lock', async () => {
  const at = await stage();
  const stop = new AbortController();
  const taking = assert.rejects(lockRepository(at.repository, options(at.clock, 'shared', { signal: stop.signal })));
  await at.clock.sleeping(1);
  stop.abort(new Error('interrupted'));
  await taking;
  assert.deepEqual(await listLocks(at.repository), []);
});

test('unlock removes the locks of dead processes and old ones, and no others', async () => {
  const at = await stage();
  const write = async (hostname: string, pid: number): Promise<void> => {
    await take(at, 'shared', { holder: { ...holder, hostname, pid } });
  };
  await write('here', 1);
  await write('here', 2);
  await write('there', 2);
  const old = { time: '2001-01-01T00:00:00Z', hostname: 'there', pid: 1, username: 'u', exclusive: false };
  await at.repository.writeFile('locks', Buffer.from(JSON.stringify(old)));
  const { clock, repository } = at;
  assert.equal(await removeStaleLocks(repository, { clock, hostname: 'here', isAlive: (pid) => pid === 1 }), 2);
  const left = (await listLocks(repository)).map(({ hostname, pid }) => `${hostname} ${pid}`);
  assert.deepEqual(left.sort(), ['here 1', 'there 2']);
  assert.equal(await removeAllLocks(repository), 2);
});

test('whatever a lock file holds, it is a lock or blocks as unreadable', async () => {
  const at = await stage();
  const known = { time: '2026-01-01T00:00:00Z', exclusive: false, hostname: 'h', username: 'u', pid: 1 };
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom<fc.JsonValue>(-1, 2 ** 40, '2026-13-01T00:00:00Z', ''));
  const fields = fc.dictionary(fc.constantFrom(...Object.keys(known), 'uid', 'gid'), value);
  const holds = fc.asyncProperty(fields, async (changed) => {
    const id = await at.repository.writeFile('locks', Buffer.from(JSON.stringify({ ...known, ...changed })));
    const readable = await listLocks(at.repository);
    const taking = lockRepository(at.repository, options(new ManualClock({ leaping: true }), 'exclusive'));
    await assert.rejects(taking, { code: 'locked' }, `${readable.length} readable`);
    await at.repository.removeFile('locks', id);
  });
  await fc.assert(holds, { numRuns: budget.propertyRuns });
});

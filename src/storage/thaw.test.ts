import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Event } from '../events/events.ts';
import type { ThawWishes } from './archive.ts';
import { ArchivingMemoryStorage } from './memory-archive.ts';
import { executeThaw, mayBeArchived, planThaw, type ThawContext, type ThawPlan } from './thaw.ts';

const hourMs = 3_600_000;
const signal = new AbortController().signal;

interface Place {
  readonly storage: ArchivingMemoryStorage;
  readonly context: ThawContext;
  readonly events: readonly Event[];
  readonly keys: ReadonlySet<string>;
}

function place(count: number, wishes: Partial<ThawWishes> = {}, clock = new ManualClock({ leaping: true })): Place {
  const keys = new Set(Array.from({ length: count }, (_, n) => `data/ab/${n}`));
  const image = new Map([...keys].map((key) => [key, new Uint8Array(1000)]));
  const events: Event[] = [];
  const context = { clock, signal, listener: (event: Event) => void events.push(event) };
  return { storage: new ArchivingMemoryStorage(clock, wishes, { image }), context, events, keys };
}

async function planOf({ storage, keys, context }: Place, wanted = keys): Promise<ThawPlan> {
  const plan = await planThaw(storage, 'data/', wanted, context);
  assert.ok(plan);
  return plan;
}

test('what is archived is asked for once each, and readable when the wait is over', async () => {
  for (const count of [1, 120]) {
    const at = place(count);
    await at.storage.put('data/cd/warm', [new Uint8Array(1)]);
    const plan = await planOf(at, new Set([...at.keys, 'data/cd/warm']));
    assert.deepEqual([plan.toRetrieve.length, plan.underWay.length, plan.thawed.length], [count, 0, 0]);
    assert.deepEqual(plan.usualTime, { leastMs: 3 * hourMs, mostMs: 3 * hourMs });
    await executeThaw(at.storage, plan, at.context);
    assert.deepEqual(new Set(at.storage.asked), at.keys);
    assert.equal(at.storage.asked.length, count);
    for (const key of at.keys) assert.equal((await at.storage.get(key)).length, 1000);
    const elapsedMs = at.context.clock.monotonicMs();
    assert.ok(elapsedMs >= 3 * hourMs && elapsedMs < 3.1 * hourMs, `${elapsedMs}`);
  }
});

test('the wait tells how much is there and how long the vendor says that it takes', async () => {
  const at = place(2);
  await executeThaw(at.storage, await planOf(at), at.context);
  const waiting = at.events.filter((event) => event.kind === 'progress' && event.phase === 'waiting for the archive');
  assert.ok(waiting.length > 10 && waiting.length < 100, `${waiting.length}`);
  const [first, last] = [waiting[0], waiting.at(-1)];
  assert.deepEqual(first, {
    ...{ kind: 'progress', phase: 'waiting for the archive', remainingMs: 3 * hourMs },
    ...{ doneBytes: 0, totalBytes: 2000, doneItems: 0, totalItems: 2 },
  });
  assert.ok(last?.kind === 'progress');
  assert.deepEqual([last.doneBytes, last.doneItems], [2000, 2]);
});

test('a second run finds what a first one asked for, and asks for nothing twice', async () => {
  const clock = new ManualClock();
  const first = place(3, {}, clock);
  await first.storage.archive.thaw('data/ab/0');
  clock.advance(4 * hourMs);
  await first.storage.archive.thaw('data/ab/1');
  const plan = await planOf(first);
  const names = (part: ThawPlan['toRetrieve']): readonly string[] => part.map(({ key }) => key);
  assert.deepEqual([names(plan.thawed), names(plan.underWay)], [['data/ab/0'], ['data/ab/1']]);
  assert.deepEqual(names(plan.toRetrieve), ['data/ab/2']);
});

test('a copy that ends before the reading may be over is asked for anew, and not waited for', async () => {
  const clock = new ManualClock();
  const at = place(1, { days: 4 }, clock);
  await at.storage.archive.thaw('data/ab/0');
  clock.advance(52 * hourMs);
  const plan = await planOf(at);
  assert.deepEqual([plan.toKeep.length, plan.usualTime?.mostMs], [1, 0]);
  await executeThaw(at.storage, plan, at.context);
  clock.advance(60 * hourMs);
  assert.equal((await at.storage.get('data/ab/0')).length, 1000);
});

test('who waits for longer than the user wants gives up, and says that the requests go on', async () => {
  const at = place(2, { patienceMs: hourMs });
  const plan = await planOf(at);
  await assert.rejects(executeThaw(at.storage, plan, at.context), (error) => {
    assert.ok(error instanceof HoldfastError);
    assert.deepEqual([error.code, /2 of 2/.test(error.message)], ['storage-timeout', true]);
    return error.next.startsWith('What was asked for goes on');
  });
  assert.equal(at.context.clock.monotonicMs(), hourMs);
});

test('a network that is away for an hour does not end the wait', async () => {
  const at = place(1);
  const plan = await planOf(at);
  const { archive } = at.storage;
  const broken = {
    ...archive,
    stateOf: async (key: string) => {
      const ms = at.context.clock.monotonicMs();
      if (ms > hourMs && ms < 2 * hourMs) throw new HoldfastError('storage-failed', 'no route');
      return await archive.stateOf(key);
    },
  };
  await executeThaw({ url: 'memory:', archive: broken }, plan, at.context);
  assert.ok(at.events.some((event) => event.kind === 'warning' && event.message.includes('no route')));
});

test('a tier that one of the classes lacks is refused before anything is asked for', async () => {
  const at = place(1, { tier: 'Expedited' });
  await assert.rejects(executeThaw(at.storage, await planOf(at), at.context), { code: 'usage' });
  assert.deepEqual(at.storage.asked, []);
});

test('where nothing is archived there is no plan', async () => {
  const { storage, context } = place(0);
  await storage.put('data/ab/warm', [new Uint8Array(1)]);
  assert.equal(await planThaw(storage, 'data/', new Set(['data/ab/warm']), context), undefined);
  const { storage: careful } = place(0, { permission: 'refused' });
  await careful.put('data/ab/warm', [new Uint8Array(1)]);
  assert.equal(await mayBeArchived(careful, 'data/', signal), false);
  await careful.put('data/ab/cold', [new Uint8Array(1)], { rarelyRead: true });
  assert.equal(await mayBeArchived(careful, 'data/', signal), true);
});

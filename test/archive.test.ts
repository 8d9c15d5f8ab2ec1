import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../src/clock/manual-clock.ts';
import { silent } from '../src/events/events.ts';
import type { Archive, ThawState, ThawWishes } from '../src/storage/archive.ts';
import { ArchivingMemoryStorage } from '../src/storage/memory-archive.ts';
import { openS3 } from '../src/storage/s3.ts';
import { RetryingStorage } from '../src/storage/retry.ts';
import type { Storage } from '../src/storage/storage.ts';
import { glacier } from './servers/glacier.ts';
import { withoutGo } from './servers/go-program.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const [cold, warm] = ['data/ab/abc', 'config'];

async function stored(storage: Storage): Promise<Archive> {
  await storage.put(cold, [Buffer.from('archived')], { rarelyRead: true });
  await storage.put(warm, [Buffer.from('readable')]);
  assert.ok(storage.archive);
  return storage.archive;
}

async function stateOf(archive: Archive): Promise<ThawState['kind'] | undefined> {
  return (await archive.stateOf(cold))?.state.kind;
}

async function thawsAndEnds(storage: Storage, clock: ManualClock): Promise<void> {
  const archive = await stored(storage);
  assert.deepEqual(await Array.fromAsync(archive.list('')), [cold]);
  assert.deepEqual([await archive.probe('data/'), await archive.probe('locks/')], ['some', 'none seen']);
  assert.equal(await archive.stateOf(warm), undefined);
  const { state, sizeBytes } = (await archive.stateOf(cold)) ?? {};
  assert.deepEqual([state, sizeBytes], [{ kind: 'archived' }, 8]);
  await assert.rejects(storage.get(cold), { code: 'storage-archived' });
  assert.equal((await storage.stat(cold)).sizeBytes, 8);
  await archive.thaw(cold);
  assert.equal(await stateOf(archive), 'thawing');
  await assert.rejects(storage.get(cold), { code: 'storage-archived' });
  await archive.thaw(cold);
  clock.advance(13 * hourMs);
  assert.equal(await stateOf(archive), 'thawed');
  assert.deepEqual(await Array.fromAsync(archive.list('data/')), [cold]);
  assert.equal(Buffer.from(await storage.get(cold)).toString(), 'archived');
  clock.advance(9 * dayMs);
  assert.equal(await stateOf(archive), 'archived');
  await assert.rejects(storage.get(cold), { code: 'storage-archived' });
  await assert.rejects(archive.stateOf('data/ab/missing'), { code: 'storage-not-found' });
  await assert.rejects(archive.thaw('data/ab/missing'), { code: 'storage-not-found' });
}

async function movesTheEnd(storage: Storage, clock: ManualClock): Promise<void> {
  const archive = await stored(storage);
  await archive.thaw(cold);
  clock.advance(5 * dayMs);
  assert.equal(await stateOf(archive), 'thawed');
  await archive.thaw(cold);
  clock.advance(5 * dayMs);
  assert.equal(await stateOf(archive), 'thawed');
}

async function refusesATier(storage: Storage): Promise<void> {
  const archive = await stored(storage);
  await assert.rejects(archive.thaw(cold), { code: 'usage' });
  assert.equal(archive.usualTime('DEEP_ARCHIVE', 'Expedited'), undefined);
}

async function onS3(
  clock: ManualClock,
  options: readonly (readonly [string, string])[],
  body: (storage: Storage) => Promise<void>,
): Promise<void> {
  await using server = await glacier({ clock, thawMs: 12 * hourMs });
  const settings = {
    create: true,
    environment: server.owner,
    throttles: {},
    options: new Map([['s3.storage-class', 'DEEP_ARCHIVE'], ...options]),
  } as const;
  await using storage = await openS3(`${server.endpoint}/bucket/a/prefix`, settings);
  await body(storage);
}

const places: readonly {
  readonly name: string;
  readonly skip: string | false;
  readonly open: (
    clock: ManualClock,
    tier: ThawWishes['tier'],
    body: (storage: Storage) => Promise<void>,
  ) => Promise<void>;
}[] = [
  {
    name: 'in memory',
    skip: false,
    open: async (clock, tier, body) => {
      await using storage = new ArchivingMemoryStorage(clock, { tier });
      await body(storage);
    },
  },
  {
    name: 'that is tried again where it errs',
    skip: false,
    open: async (clock, tier, body) => {
      const inner = new ArchivingMemoryStorage(clock, { tier });
      await using storage = new RetryingStorage(inner, { clock, listener: silent });
      await body(storage);
    },
  },
  {
    name: 'of S3, by the answers that Amazon documents,',
    skip: withoutGo(),
    open: async (clock, tier, body) => await onS3(clock, [['s3.restore-tier', tier]], body),
  },
];

for (const { name, skip, open } of places) {
  test(`an archive ${name} gives an object once it is thawed, and for so many days`, { skip }, async () => {
    const clock = new ManualClock();
    await open(clock, 'Standard', (storage) => thawsAndEnds(storage, clock));
  });

  test(`an archive ${name} keeps what is thawed for longer when it is asked to`, { skip }, async () => {
    const clock = new ManualClock();
    await open(clock, 'Standard', (storage) => movesTheEnd(storage, clock));
  });

  test(`an archive ${name} refuses a tier that a class doesn't have`, { skip }, async () => {
    await open(new ManualClock(), 'Expedited', refusesATier);
  });
}

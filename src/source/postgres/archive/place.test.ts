import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import { lineageOf } from '../../../log/cover.ts';
import { packSegment, segmentAt, segmentRoomBytes } from '../../../log/pack.ts';
import { openLog } from '../../../log/store.ts';
import type { Repository } from '../../../repository/repository.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import { AtHand } from './at-hand.ts';
import type { Packed } from './packing.ts';
import { ArchivePlace } from './place.ts';

const name = { component: 'shop-db', stream: '7' };

function placeIn(repository: Repository, dir: TempDir, listener = silent): ArchivePlace {
  return new ArchivePlace({
    dataDirectory: dir.path,
    place: { repository: 'near', required: true, windowMs: 1, open: async () => repository },
    ...{ name, clock: systemClock, listener, signal: new AbortController().signal },
  });
}

test('of a timeline the first thing that is stored is whence it comes, and its ancestors: nobody hands those over', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('pg_wal'));
  const [second, third] = ['1\t0/2000000\tno reason\n', '2\t0/3000000\tat last\n'];
  await writeFile(dir.file('pg_wal/00000003.history'), `${second}\n${third}`);
  const repository = await newRepository(new MemoryStorage());
  const place = placeIn(repository, dir);
  const extent = { epoch: 3, from: 0x300_0000n, to: 0x400_0000n };
  await place.take({ kind: 'partial', extent, bytes: Buffer.from('partial'), end: extent.from });
  const store = openLog(repository, name);
  const { histories } = await store.list();
  assert.deepEqual(histories, [2, 3]);
  const told = await Promise.all(histories.map(async (epoch) => await store.getHistory(epoch)));
  assert.deepEqual(
    lineageOf(3, told)?.epochs.map(({ epoch }) => epoch),
    [3, 2, 1],
  );
  assert.equal(Buffer.from(told[0]?.bytes ?? []).toString(), second, 'what its own file would say');
  await place.close();
});

/** Whence a timeline comes waits until it is let; nothing else does. */
class WaitingStorage extends MemoryStorage {
  readonly asked = Promise.withResolvers<void>();
  readonly answering = Promise.withResolvers<void>();

  override async put(...call: Parameters<MemoryStorage['put']>): Promise<void> {
    if (call[0].endsWith('/history')) {
      this.asked.resolve();
      await this.answering.promise;
    }
    await super.put(...call);
  }
}

/** Packs into memory that was given up before, where there is any. */
function packing() {
  const rooms: Uint8Array[] = [];
  const freed: string[] = [];
  const read = async (file: string): Promise<Packed> => {
    const from = BigInt(file) << 24n;
    const room = rooms.pop() ?? new Uint8Array(segmentRoomBytes(1024));
    const extent = { epoch: 2, from, to: from + (1n << 24n) };
    const segment = packSegment(name, extent, Buffer.alloc(segmentAt + 1024, file), room);
    const free = (): void => {
      freed.push(file);
      rooms.push(room);
    };
    return { file: { kind: 'segment', extent, segment, noted: { facts: {} } }, free };
  };
  return { freed, atHand: new AtHand({ read }, 1) };
}

test('what a place was given up with is never stored with the bytes of a file that is read after it', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('pg_wal'));
  await writeFile(dir.file('pg_wal/00000002.history'), '1\t0/2000000\tno reason\n');
  const storage = new WaitingStorage();
  const repository = await newRepository(storage);
  const place = placeIn(repository, dir);
  const { freed, atHand } = packing();
  const give = async (): Promise<void> => {
    using held = atHand.hold({ name: '4', sizeBytes: () => 1024 });
    await place.take(await held.file(), held);
  };
  const given = assert.rejects(give(), /another fails/);
  await storage.asked.promise;
  const another = place.use(async () => await Promise.reject(new HoldfastError('storage-failed', 'another fails')));
  await assert.rejects(another, /another fails/);
  await given;
  using later = atHand.hold({ name: '5', sizeBytes: () => 1024 });
  await later.file();
  assert.deepEqual(freed, [], 'what was given up is read still');
  storage.answering.resolve();
  for (let looks = 0; freed.length === 0; looks++) {
    assert.ok(looks < 6000, 'it never comes to its end');
    await systemClock.sleep(5);
  }
  const { histories, segments } = await openLog(repository, name).list();
  assert.deepEqual([histories, segments], [[2], []], 'nothing is begun any more');
  await place.close();
});

test('what says of a segment which it is may be damaged: then the segment itself does', async () => {
  await using dir = await tempDir();
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const extent = { epoch: 1, from: 1n << 24n, to: 2n << 24n };
  const bytes = Buffer.alloc(segmentAt + 1024, 'bytes');
  const segment = packSegment(name, extent, Buffer.from(bytes), new Uint8Array(segmentRoomBytes(1024)));
  await openLog(repository, name).put(extent, segment, { facts: {} });
  const key = [...storage.durable.keys()].find((one) => one.endsWith('.about')) ?? assert.fail();
  await storage.put(key, [Buffer.from('half of it')]);
  const told: string[] = [];
  const place = placeIn(repository, dir, (event) => void told.push(event.kind));
  await place.take({ kind: 'segment', extent, segment, noted: { facts: {} } });
  const other = packSegment(name, extent, Buffer.alloc(segmentAt + 1024), new Uint8Array(segmentRoomBytes(1024)));
  const taking = place.take({ kind: 'segment', extent, segment: other, noted: { facts: {} } });
  await assert.rejects(taking, { code: 'log-conflict' });
  assert.deepEqual(told, []);
  await place.close();
});

test('whence a timeline comes is damaged where it stands: that is told once, and other timelines go on', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('pg_wal'));
  await writeFile(dir.file('pg_wal/00000002.history'), '1\t0/2000000\tno reason\n');
  const storage = new MemoryStorage();
  await storage.put('holdfast/log/shop-db/7/00000002/history', [Buffer.from('half of it')]);
  const told: string[] = [];
  const place = placeIn(await newRepository(storage), dir, (event) => {
    told.push(event.kind === 'warning' ? event.message : event.kind);
  });
  const take = async (epoch: number, from: bigint): Promise<void> => {
    const bytes = Buffer.from('partial');
    await place.take({ kind: 'partial', extent: { epoch, from, to: from + 0x100_0000n }, bytes, end: from });
  };
  for (const from of [0x200_0000n, 0x300_0000n]) await assert.rejects(take(2, from), { code: 'storage-exists' });
  await take(1, 0x100_0000n);
  assert.match(
    told.join('\n'),
    /^near does not take a file of the log: .*00000002\/history can't be opened.*\. Until then the server’s log waits behind it: 200 more files are stored, and pg_wal grows\.$/,
  );
  await place.close();
});

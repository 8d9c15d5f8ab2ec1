import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository, testPassword } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { writeWal } from '../../../../test/support/wal-writer.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { Event } from '../../../events/events.ts';
import { openLog } from '../../../log/store.ts';
import type { Listing } from '../../../log/log.ts';
import { openRepository } from '../../../repository/open.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { LogPlace } from '../../log.ts';
import { givingUp } from './old-log.ts';
import { rescueLog } from './rescue.ts';

const size = 2 ** 20;
const stream = '7300000000000000001';
const start = 3n * BigInt(size);

/** A data directory whose log is one segment and a half, followed by one that was prepared for later use. */
async function oldCluster(dir: TempDir): Promise<{ readonly segments: readonly Buffer[]; readonly end: bigint }> {
  const data = Buffer.alloc(5000, 'row');
  const records = Array.from({ length: 300 }, (_, index) => ({ manager: 10, info: 0, xid: 700 + index, data }));
  const wal = { major: 15, timeline: 1, systemIdentifier: BigInt(stream), segmentBytes: size, start, records };
  const { segments, offsets } = writeWal(wal);
  await mkdir(dir.file('pg_wal/archive_status'), { recursive: true });
  const [whole = assert.fail(), open = assert.fail()] = segments;
  // The last record was cut short by a crash: its bytes are not what its CRC says.
  const last = offsets.at(-1) ?? assert.fail();
  open.fill(0, last - size + 3000, last - size + 3100);
  await writeFile(dir.file('pg_wal', nameOf(3)), whole);
  await writeFile(dir.file('pg_wal', nameOf(4)), open);
  await writeFile(dir.file('pg_wal', nameOf(5)), whole);
  await writeFile(dir.file('pg_wal/archive_status', `${nameOf(3)}.ready`), '');
  return { segments, end: start + BigInt(last) };
}

const nameOf = (number: number): string =>
  `00000001${'0'.repeat(8)}${number.toString(16).toUpperCase().padStart(8, '0')}`;

async function place(repository: string): Promise<LogPlace & { readonly listing: () => Promise<Listing> }> {
  const storage = new MemoryStorage();
  await (await newRepository(storage))[Symbol.asyncDispose]();
  const open = async () => await openRepository({ storage, clock: systemClock, password: testPassword });
  const listing = async (): Promise<Listing> => {
    await using opened = await open();
    return await openLog(opened, { component: 'shop-db', stream }).list();
  };
  return { repository, required: true, windowMs: 0, open, listing };
}

const away: LogPlace = {
  repository: 'far',
  required: true,
  windowMs: 0,
  open: async () => {
    throw new HoldfastError('storage-timeout', 'far does not answer');
  },
};

function workWith(places: readonly LogPlace[], events: Event[] = []) {
  const { signal } = new AbortController();
  const listener = (event: Event): void => void events.push(event);
  return { component: 'shop-db', places, stateFolder: '/nowhere', clock: systemClock, signal, listener };
}

test('an old log is rescued as it stands: whole segments, and the open one up to its last whole record, once', async () => {
  await using dir = await tempDir();
  const { end } = await oldCluster(dir);
  const near = await place('near');
  const from = { place: dir.path, stream };
  assert.deepEqual(await rescueLog(workWith([near]), from), { stored: 2, end: { epoch: 1, at: end } });
  const { segments, pieces } = await near.listing();
  const open = { epoch: 1, from: start + BigInt(size), to: start + 2n * BigInt(size) };
  assert.deepEqual(segments, [{ epoch: 1, from: start, to: open.from }]);
  assert.deepEqual(pieces, [{ segment: open, from: open.from, to: end }]);
  assert.deepEqual(await rescueLog(workWith([near]), from), { stored: 0, end: { epoch: 1, at: end } });
  assert.deepEqual(
    await readdir(dir.file('pg_wal/archive_status')),
    [`${nameOf(3)}.ready`],
    'nothing is changed there',
  );
});

test('a log of another cluster, and none at all, is not rescued', async () => {
  await using dir = await tempDir();
  await oldCluster(dir);
  const near = await place('near');
  const other = await rescueLog(workWith([near]), { place: dir.path, stream: '7300000000000000002' });
  assert.deepEqual(other, { stored: 0, end: undefined });
  assert.deepEqual(await rescueLog(workWith([near]), { place: dir.file('gone'), stream }), {
    stored: 0,
    end: undefined,
  });
});

test('one place that takes all of it is enough, and the other is told; where none does it is refused', async () => {
  await using dir = await tempDir();
  await oldCluster(dir);
  const [near, events]: [LogPlace, Event[]] = [await place('near'), []];
  const { stored } = await rescueLog(workWith([away, near], events), { place: dir.path, stream });
  assert.equal(stored, 2);
  assert.deepEqual(
    events.map((event) => event.kind === 'warning' && [event.item, /lacks some of the newest log/.test(event.message)]),
    [['far', true]],
  );
  await assert.rejects(rescueLog(workWith([away]), { place: dir.path, stream }), { code: 'storage-timeout' });
});

test('a log that is not to be seen is not taken for none, nor a segment that can’t be read', async () => {
  await using dir = await tempDir();
  await oldCluster(dir);
  await writeFile(dir.file('PG_VERSION'), '15\n');
  const near = await place('near');
  const from = { place: dir.path, stream };
  await rename(dir.file('pg_wal'), dir.file('disk'));
  await symlink(dir.file('mounted'), dir.file('pg_wal'));
  await assert.rejects(rescueLog(workWith([near]), from), { code: 'refused', message: /no segment of its log/ });
  await rename(dir.file('disk'), dir.file('mounted'));
  await rm(dir.file('mounted', nameOf(4)));
  await symlink(dir.file('bad sectors'), dir.file('mounted', nameOf(4)));
  await assert.rejects(rescueLog(workWith([near]), from), {
    code: 'source-failed',
    message: /4 can’t be read/,
    next: /lost for good: move \/.* away/,
  });
  await rm(dir.file('mounted', nameOf(4)));
  assert.equal((await rescueLog(workWith([near]), from)).stored, 0, 'what could be read was stored');
  assert.equal((await near.listing()).segments.length, 1);
});

test('nothing of a timeline is rescued in between those of another one of its number', async () => {
  await using dir = await tempDir();
  await oldCluster(dir);
  const near = await place('near');
  const bytes = Buffer.from('1\t0/280000\tno recovery target specified\n');
  await writeFile(dir.file('pg_wal/00000002.history'), bytes);
  {
    await using opened = await near.open();
    const held = { epoch: 2, parent: 1, forkedAt: 0x20_0000n, bytes: Buffer.from('1\t0/200000\tbefore\n') };
    await openLog(opened, { component: 'shop-db', stream }).putHistory(held);
  }
  const from = { place: dir.path, stream };
  await assert.rejects(rescueLog(workWith([near]), from), { code: 'log-conflict', next: /: move \/.* away, and run/ });
  assert.match(
    givingUp('/proc'),
    /all that is in \/proc, but for its folder pgsql_tmp/,
    'a mount point can’t be moved',
  );
  await rename(dir.path, `${dir.path}.away`);
  assert.deepEqual(await rescueLog(workWith([near]), from), { stored: 0, end: undefined });
  await rename(`${dir.path}.away`, dir.path);
  assert.deepEqual((await near.listing()).segments, []);
  const other = await place('other');
  assert.equal((await rescueLog(workWith([other]), from)).stored, 3);
  assert.equal((await rescueLog(workWith([other]), from)).stored, 0, 'the same one is there');
});

test('of a log with bad sectors all that can be read is stored, then the file is named, and how to go on without it', async () => {
  await using dir = await tempDir();
  const { segments } = await oldCluster(dir);
  const [near, path] = [await place('near'), dir.file('pg_wal', nameOf(3))];
  const spoiling = async (): Promise<void> => {
    await rm(path); // its header was read: now reading it fails
    await mkdir(path);
  };
  const open: LogPlace['open'] = async () => {
    await spoiling();
    return await near.open();
  };
  const named = {
    code: 'source-failed',
    message: /pg_wal\/0{7}1.*3 can’t be read: /,
    next: /What else .* is stored, .*: move /,
  };
  const from = { place: dir.path, stream };
  await assert.rejects(rescueLog(workWith([{ ...near, open }]), from), named);
  const { segments: held, pieces } = await near.listing();
  assert.deepEqual([held.length, pieces.length], [0, 1]);
  await assert.rejects(rescueLog(workWith([near]), from), named, 'its header can’t be read either');

  await rm(path, { recursive: true });
  await writeFile(path, segments[0] ?? assert.fail());
  await rescueLog(workWith([near]), from);
  await rm(dir.file('pg_wal/archive_status'), { recursive: true });
  await spoiling();
  assert.equal((await rescueLog(workWith([near]), from)).stored, 0, 'it is held already');
});

test('a history that can’t be read holds up what is of its timeline alone', async () => {
  await using dir = await tempDir();
  await oldCluster(dir);
  const [near, events]: [Awaited<ReturnType<typeof place>>, Event[]] = [await place('near'), []];
  const from = { place: dir.path, stream };
  await writeFile(dir.file('pg_wal/00000002.history'), '');
  assert.equal((await rescueLog(workWith([near], events), from)).stored, 2);
  const told = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.match(told.join('; '), /^[^;]*00000002\.history does not say whence .* left out$/);

  const other = await place('other');
  await writeFile(dir.file('pg_wal/00000001.history'), 'torn');
  const named = {
    code: 'source-failed',
    message: /line that is none/,
    next: /Nothing of its timeline is stored .*: move /,
  };
  await assert.rejects(rescueLog(workWith([other]), from), named);
  assert.deepEqual((await other.listing()).segments, []);
});

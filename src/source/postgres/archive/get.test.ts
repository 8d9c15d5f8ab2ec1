import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { controlOf } from '../../../../test/support/control-file.ts';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { writeWal } from '../../../../test/support/wal-writer.ts';
import { crc32c } from '../../../bytes/crc32c.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import { openLog } from '../../../log/store.ts';
import type { LogStore } from '../../../log/log.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { FetchWork } from '../../log.ts';
import { Ahead } from './ahead.ts';
import { fetchAhead } from './fetch-ahead.ts';
import { fetchFile, openFetching } from './get.ts';
import { takeAhead } from './take-ahead.ts';

const segmentBytes = 2 ** 20;
const systemIdentifier = 7_000_000_000_000_000_001n;
const far = 0x1_0300_0000n;
const near = 0x300_0000n;
const names = { [String(far)]: '000000010000000100000030', [String(near)]: '000000010000000000000030' };

const extentAt = (from: bigint, epoch = 1): { epoch: number; from: bigint; to: bigint } => ({
  ...{ epoch, from, to: from + BigInt(segmentBytes) },
});

function segmentAt(start: bigint, timeline = 1): Buffer {
  const record = { manager: 10, info: 0, xid: 7, data: Buffer.alloc(10) };
  const wal = { major: 15, timeline, start, segmentBytes, systemIdentifier, records: [record] };
  return writeWal(wal).segments[0] ?? Buffer.alloc(0);
}

/** Timeline 1 was replayed up to there, as the server has noted. */
async function writeControl(dir: TempDir, replayedTo: bigint): Promise<void> {
  const control = controlOf({ systemIdentifier, timeline: 1, version: 1300, promotedTo: 1 });
  control.writeBigUInt64LE(replayedTo, 136);
  control.writeUInt32LE(segmentBytes, 228);
  control.writeUInt32LE(crc32c(0, control.subarray(0, 288)), 288);
  await writeFile(dir.file('global/pg_control'), control);
}

/** A data directory that recovers, and its log in a place of its own. */
async function recovering(dir: TempDir): Promise<{ readonly work: FetchWork; readonly store: LogStore }> {
  for (const folder of ['global', 'pg_wal']) await mkdir(dir.file(folder));
  await writeControl(dir, 0n);
  await writeFile(dir.file('recovery.signal'), '');
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const work: FetchWork = {
    ...{ component: 'shop-db', stateFolder: dir.file('state'), dataDirectory: dir.path, mostQueuedBytes: undefined },
    places: [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }],
    ...{ clock: systemClock, listener: silent, signal: new AbortController().signal },
    ...{ file: names[String(far)] ?? '', target: dir.file('pg_wal/RECOVERYXLOG') },
  };
  return { work, store: openLog(repository, { component: 'shop-db', stream: String(systemIdentifier) }) };
}

const noted = { times: undefined, facts: {} };

test('a segment that is stored between two looks, and loses its pieces, is fetched: it was there throughout', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  await using fetching = await openFetching(work);
  const [file, bytes, extent] = [names[String(far)] ?? '', segmentAt(far), extentAt(far)];
  const piece = { segment: extent, from: far, to: far + 8192n };
  await store.putPiece(piece, bytes.subarray(0, 8192));
  assert.equal(await fetching.whole(file), undefined);
  await store.put(extent, bytes, noted);
  await store.removePieces([piece]);
  assert.deepEqual(Buffer.from((await fetching.open(file)) ?? []), bytes);
});

test('what is asked for while another asks for something far away is fetched for both: neither is told that it is absent', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  for (const start of [far, near]) await store.put(extentAt(start), segmentAt(start), noted);
  const ahead = new Ahead(work.target);
  ahead.make();
  const tokens = [far, near].map((start) => ({ start, token: ahead.ask(names[String(start)] ?? '') }));
  const controller = new AbortController();
  const answers = new Map<bigint, Buffer | 'absent'>();
  const look = (): void => {
    for (const { start, token } of tokens) {
      if (ahead.isAbsent(token)) answers.set(start, 'absent');
      const paths = [`got.${token}`, names[String(start)] ?? '']
        .map((name) => ahead.path(name))
        .filter((path) => existsSync(path));
      for (const path of paths) answers.set(start, readFileSync(path));
    }
    if (answers.size === tokens.length) controller.abort(new Error('enough'));
  };
  const clock = {
    ...systemClock,
    sleep: async (ms: number, signal?: AbortSignal) => {
      look();
      await systemClock.sleep(ms, signal);
    },
  };
  await assert.rejects(fetchAhead({ ...work, clock, signal: controller.signal }), /enough/);
  for (const start of [far, near]) assert.deepEqual(answers.get(start), segmentAt(start));
  assert.deepEqual(
    readdirSync(ahead.folder).filter((name) => name.startsWith('ask.')),
    [],
  );
});

test('a place that can’t be asked holds a recovery up only where no other has the file, and is named then', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  await store.put(extentAt(far), segmentAt(far), noted);
  const open = async (): Promise<never> => await Promise.reject(new HoldfastError('storage-failed', 'no answer'));
  const places = [{ repository: 'far', required: false, windowMs: 1, open }, ...work.places];
  assert.equal(await fetchFile({ ...work, places }), 'delivered');
  assert.deepEqual(readFileSync(work.target), segmentAt(far));
  const behind = { ...work, places, file: names[String(near)] ?? '' };
  await assert.rejects(fetchFile(behind), { code: 'storage-failed', message: /the log in far can’t be asked/ });
});

test('a place that goes away while a server recovers is asked last from then on', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  for (const start of [far, near]) await store.put(extentAt(start), segmentAt(start), noted);
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  let asked = 0;
  storage.get = async () => {
    asked++;
    return await Promise.reject(new HoldfastError('storage-failed', 'no answer'));
  };
  const places = [{ repository: 'far', required: false, windowMs: 1, open: async () => repository }, ...work.places];
  await using fetching = await openFetching({ ...work, places });
  for (const start of [far, near])
    assert.deepEqual(Buffer.from((await fetching.whole(names[String(start)] ?? '')) ?? []), segmentAt(start));
  assert.equal(asked, 1);
});

test('a segment that can’t be brought ends fetching ahead, and is not fetched again for that', async () => {
  await using dir = await tempDir();
  const { work } = await recovering(dir);
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const asked: string[] = [];
  storage.get = async (key) => {
    asked.push(key);
    return await Promise.reject(new HoldfastError('storage-failed', 'no answer'));
  };
  const places = [{ repository: 'far', required: false, windowMs: 1, open: async () => repository }];
  const ahead = new Ahead(work.target);
  ahead.make();
  ahead.ask(names[String(near)] ?? '');
  await assert.rejects(fetchAhead({ ...work, places }), { code: 'storage-failed' });
  assert.ok(asked.length > 0);
  assert.deepEqual(asked, [...new Set(asked)]);
});

test('a file that can’t be written is no place’s failure, and no other place is asked for it', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  await store.put(extentAt(far), segmentAt(far), noted);
  const open = async (): Promise<never> => await Promise.reject(new Error('it is asked, too'));
  const places = [...work.places, { repository: 'far', required: false, windowMs: 1, open }];
  await using fetching = await openFetching({ ...work, places });
  await assert.rejects(fetching.wholeInto(names[String(far)] ?? '', dir.file('no/such/folder')), {
    code: 'source-failed',
    message: /^(?!the log in).*folder can't be written/,
  });
});

test('run elsewhere than in a data directory, or into a folder that is not there, it says so, and delivers nothing', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  const elsewhere = fetchFile({ ...work, dataDirectory: dir.file('pg_wal') });
  await assert.rejects(elsewhere, { code: 'refused', message: /pg_wal is no data directory that can be read/ });
  await store.put(extentAt(far), segmentAt(far), noted);
  const nowhere = fetchFile({ ...work, target: dir.file('not/there') });
  await assert.rejects(nowhere, { code: 'source-failed', next: /Nothing was delivered/ });
});

test('behind the branch that a server follows a segment of the parent is delivered only where the log proves to lack the branch’s own', async () => {
  await using dir = await tempDir();
  const { work, store } = await recovering(dir);
  const file = names[String(near)] ?? '';
  const before = near - BigInt(segmentBytes);
  for (const start of [before, near]) await store.put(extentAt(start), segmentAt(start), noted);
  const open = async (): Promise<never> => await Promise.reject(new HoldfastError('storage-failed', 'no answer'));
  const away = [...work.places, { repository: 'far', required: false, windowMs: 1, open }];
  const asked = async (name: string, places = work.places): Promise<string> =>
    await fetchFile({ ...work, places, file: name });
  assert.equal(await asked(file, away), 'delivered', 'no branch is known');

  await writeFile(dir.file('pg_wal/00000002.history'), '1\t0/3000100\tno recovery target specified\n');
  await assert.rejects(asked(file, away), { code: 'storage-failed', message: /the log in far can’t be asked/ });
  assert.equal(await asked('00000001000000000000002F', away), 'delivered', 'before the branch');
  assert.equal(await asked(file), 'delivered', 'proven absent');

  await store.put(extentAt(near, 2), segmentAt(near, 2), noted);
  await assert.rejects(asked(file), { code: 'refused', message: /timeline 2 came of it/ });
  await using fetching = await openFetching(work);
  assert.equal(await fetching.wholeInto(file, dir.file('ahead')), false, 'nothing of it is kept at hand');
  assert.equal(await asked('000000020000000000000030'), 'delivered');
  await writeControl(dir, near + 0x101n);
  assert.equal(await asked(file), 'delivered', 'it has gone past the branch, and does not follow it');
  await writeControl(dir, near + 0x100n);
  await assert.rejects(asked(file), { code: 'refused' });
  await writeFile(dir.file('postgresql.auto.conf'), "recovery_target_timeline = '1'\n");
  assert.equal(await asked(file), 'delivered', 'the parent is what is to be followed');
});

test('what was fetched ahead of a timeline is gone once the server asks for a later one', async () => {
  await using dir = await tempDir();
  const { work } = await recovering(dir);
  const ahead = new Ahead(work.target);
  ahead.make();
  const [left, kept] = [names[String(near)] ?? '', '000000020000000000000031'];
  for (const name of [left, kept]) await writeFile(ahead.path(name), 'fetched');
  const startAhead = () => ({ isRunning: () => false });
  const { clock, signal, target } = work;
  const taken = await takeAhead({ file: '000000020000000000000030', target, startAhead, clock, signal });
  assert.equal(taken, 'unknown');
  assert.deepEqual(ahead.held(), [kept]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import type { BlobId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { extentText } from '../log/names.ts';
import { openLog } from '../log/store.ts';
import { saveSnapshot } from '../snapshot/snapshots.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { expireLog } from './log-window.ts';
import { Recorder } from './recorder.ts';

const size = 0x100_0000n;
const about = { hostname: 'here', username: 'ann', uid: 0, gid: 0, excludes: [], programVersion: 'test', others: {} };

/** How many of six segments go, one a day with a backup in it, of which some were found wrong; the window is two days. */
async function expiredBy(stateFolder: string, bad: readonly number[]): Promise<number | undefined> {
  const [clock, storage] = [new ManualClock(), new MemoryStorage()];
  const repository = await newRepository(storage);
  const store = openLog(repository, { component: 'shop-db', stream: '7' });
  const log = '{ mode: stream, to: { near: { window: 2d } } }';
  const context = shopContext({ storage, clock, stateFolder, log });
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  const options = { writer, state: { folder: stateFolder }, actor: { id: 'ann', via: 'cli' } };
  await using recorder = new Recorder(context, options);
  for (let day = 1n; day <= 6n; day++) {
    const from = day * size;
    await store.put({ epoch: 1, from, to: from + size }, Buffer.alloc(16), { facts: {} });
    const at = extentText({ stream: '7' }, { epoch: 1, from: from + 10n, to: from + 20n });
    const tags = ['hf.component=shop-db', 'hf.rule=full', `hf.log=${at}`];
    const time = Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toString();
    const point = await saveSnapshot(repository, {
      ...about,
      ...{ time, tags, tree: 'a'.repeat(64) as BlobId, paths: ['/shop-db'] },
    });
    const data = { outcome: 'failed', level: 'restore', point };
    if (bad.includes(Number(day)))
      await recorder.record({ kind: 'verification', component: 'shop-db', repository: 'near', data });
    clock.advance(86_400_000);
  }
  const [expired] = await expireLog(context, 'shop-db');
  assert.equal((await store.list()).segments.length, 6 - (expired?.removed.length ?? 0));
  return expired?.removed.length;
}

test('the log goes that the window has passed, and no more of it because each backup but the newest was found wrong', async () => {
  const expired = async (...bad: readonly number[]): Promise<number | undefined> => {
    await using dir = await tempDir();
    return await expiredBy(dir.path, bad);
  };
  const passed = await expired();
  assert.equal(passed, 4);
  assert.equal(await expired(1, 2, 3, 4, 5), passed);
  assert.equal(await expired(5), 3, 'the log of the sound one before stays');
});

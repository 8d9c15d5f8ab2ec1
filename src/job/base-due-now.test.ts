import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import type { BlobId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { extentText } from '../log/names.ts';
import { openLog } from '../log/store.ts';
import { saveSnapshot } from '../snapshot/snapshots.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { isBaseDue } from './base-due-now.ts';

const size = 0x100_0000n;
const about = { hostname: 'here', username: 'ann', uid: 0, gid: 0, excludes: [], programVersion: 'test', others: {} };

test('a base backup is due behind a gap that was told, before anything is held behind it, until one began there, and is no more due once the rule has made what it can', async () => {
  await using dir = await tempDir();
  const [clock, storage] = [new ManualClock(), new MemoryStorage()];
  const repository = await newRepository(storage);
  const log = '{ mode: archive, to: { near: { window: 2d } } }';
  const context = shopContext({ storage, clock, stateFolder: dir.path, log });
  const store = openLog(repository, { component: 'shop-db', stream: '7' });
  const extent = (number: bigint) => ({ epoch: 1, from: number * size, to: (number + 1n) * size });
  const backUp = async (from: bigint): Promise<void> => {
    clock.advance(1000);
    const at = extentText({ stream: '7' }, { epoch: 1, from, to: from + 10n });
    const tags = ['hf.component=shop-db', 'hf.rule=full', `hf.log=${at}`];
    const time = Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toString();
    const tree = 'a'.repeat(64) as BlobId;
    await saveSnapshot(repository, { ...about, time, tags, tree, paths: ['/shop-db'] });
  };
  const { 'shop-db': component = assert.fail() } = context.policy.components;
  const rule = component.backups['full'] ?? assert.fail();
  const of = { name: 'shop-db', component, ruleName: 'full', rule, stream: '7' };
  await store.put(extent(1n), Buffer.alloc(16), { facts: {} });
  await backUp(size + 10n);
  assert.equal(await isBaseDue(context, of), false);
  await store.putGap(extent(2n), 'dropped');
  assert.equal(await isBaseDue(context, of), true);
  const askedNs = clock.nowNs();
  assert.equal(await isBaseDue(context, of, askedNs + 1n), true, 'that of before is none');
  await store.put(extent(4n), Buffer.alloc(16), { facts: {} });
  await backUp(3n * size + 10n); // the log behind it has a hole once more
  assert.equal(await isBaseDue(context, of), true);
  assert.equal(await isBaseDue(context, of, askedNs + 1n), false);
  await backUp(5n * size + 10n);
  assert.equal(await isBaseDue(context, of), false);
  const upgraded = { ...of, stream: '8' };
  assert.equal(await isBaseDue(context, upgraded), false, 'nothing is known of it');
  await openLog(repository, { component: 'shop-db', stream: '8' }).putGap(extent(1n), 'dropped');
  assert.equal(await isBaseDue(context, upgraded), true, 'all of its log was dropped; that of before has its backup');
  assert.equal(await isBaseDue(context, of), false);

  const away = async (): Promise<never> => await Promise.reject(new HoldfastError('storage-failed', 'it is away'));
  const blind = { ...context, access: (name: string) => ({ ...context.access(name), open: away }) };
  await assert.rejects(isBaseDue(blind, of), { code: 'storage-failed' });
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shopContext } from '../../../test/support/component-context.ts';
import { controlOf } from '../../../test/support/control-file.ts';
import { switchCall } from '../../../test/support/switching.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { systemClock } from '../../clock/clock.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import { writeExtent } from './half-over.ts';
import { replacementOf } from './replacement.ts';
import { withholding } from './withhold.ts';

const stream = '7300000000000000001';

const control = (systemIdentifier: bigint): Buffer => controlOf({ systemIdentifier, timeline: 1, version: 1300 });

test('what came to a place while a plan waited is not restored over: another cluster, and a standby, stay as they are', async () => {
  await using dir = await tempDir();
  const [storage, stateFolder, live] = [new MemoryStorage(), dir.file('state'), dir.file('srv/data')];
  const context = shopContext({ storage, clock: systemClock, stateFolder });
  await mkdir(join(live, 'global'), { recursive: true });
  const given = { component: 'shop-db', stream, others: [], within: 'shop-db/data', over: 'yes' };
  const call = switchCall('withhold', live, given);
  const withhold = withholding(context);
  const key = join(live, 'global/pg_control');
  await writeFile(key, control(7300000000000000002n));
  await assert.rejects(withhold.run(call), { code: 'refused', message: /holds another cluster, 7300000000000000002/ });
  await writeFile(key, control(BigInt(stream)));
  await writeFile(join(live, 'standby.signal'), '');
  await assert.rejects(withhold.run(call), { code: 'refused', message: /holds a standby/ });
  await rm(join(live, 'standby.signal'));
  await withhold.run(call);
  assert.equal(existsSync(key), false);
  await withhold.undo?.(call);
  assert.deepEqual(await readFile(key), control(BigInt(stream)));
});

test('pg_control of another cluster is not taken by a link that leads there from the place', async () => {
  await using dir = await tempDir();
  const [storage, stateFolder, live] = [new MemoryStorage(), dir.file('state'), dir.file('srv/data')];
  const context = shopContext({ storage, clock: systemClock, stateFolder });
  await mkdir(dir.file('other/global'), { recursive: true });
  await writeFile(dir.file('other/global/pg_control'), control(BigInt(stream)));
  await mkdir(live, { recursive: true });
  await symlink(dir.file('other/global'), join(live, 'global'));
  const given = { component: 'shop-db', stream, others: [], within: 'shop-db/data', over: 'yes' };
  const withhold = withholding(context);
  await assert.rejects(withhold.run(switchCall('withhold', live, given)), {
    code: 'damaged',
    message: /global is a link/,
  });
  assert.equal(existsSync(dir.file('other/global/pg_control')), true);
  await rm(live, { recursive: true });
  await symlink(dir.file('other'), live);
  await assert.rejects(withhold.run(switchCall('withhold', live, given)), {
    code: 'damaged',
    message: /data is a link/,
  });
  assert.equal(existsSync(dir.file('other/global/pg_control')), true);
});

test('of a lost disk, and of a pg_control that tells nothing, the grant tells whether what stood there may write the log', async () => {
  await using dir = await tempDir();
  const [storage, stateFolder, live] = [new MemoryStorage(), dir.file('state'), dir.file('srv/data')];
  const context = shopContext({ storage, clock: systemClock, stateFolder });
  const given = { component: 'shop-db', stream, others: [], within: 'shop-db/data' };
  const call = switchCall('withhold', live, given);
  const withhold = withholding(context);
  const { granted, key, places, driver } = replacementOf(context, call);
  const stands = async (bytes: Buffer): Promise<void> => {
    await mkdir(join(live, 'global'), { recursive: true });
    await writeFile(key.live, bytes);
    await driver.inPlace.takeOver(context, live);
  };
  await mkdir(dir.file('srv'), { recursive: true });
  assert.equal(await withhold.isDone(call), 'done', 'nothing stood there, and nobody may write');

  await stands(control(7300000000000000002n));
  await rm(live, { recursive: true });
  assert.equal(await withhold.isDone(call), 'done', 'the grant is another cluster’s');

  await stands(control(BigInt(stream)));
  await rm(live, { recursive: true });
  assert.equal(await withhold.isDone(call), 'not done');
  await withhold.run(call);
  assert.deepEqual([await withhold.isDone(call), existsSync(granted)], ['done', true]);
  await withhold.undo?.(call);
  assert.deepEqual([existsSync(live), existsSync(key.old)], [false, false]);
  await rm(places.root, { recursive: true });

  await stands(control(BigInt(stream)));
  const garbled = control(BigInt(stream)).fill(7, 0, 8);
  await writeFile(key.live, garbled);
  await withhold.run(call);
  assert.deepEqual([existsSync(granted), existsSync(key.live)], [true, false]);
  await withhold.undo?.(call);
  assert.deepEqual(await readFile(key.live), garbled);
});

test('what a server that replayed a half restored place left behind when it was cut off keeps no other plan from going on there', async () => {
  await using dir = await tempDir();
  const [storage, stateFolder, live] = [new MemoryStorage(), dir.file('state'), dir.file('srv/data')];
  const context = shopContext({ storage, clock: systemClock, stateFolder });
  const given = { component: 'shop-db', stream, others: [], within: 'shop-db/data', over: 'yes' };
  const call = switchCall('withhold', live, given);
  const withhold = withholding(context);
  const { key, places } = replacementOf(context, call);
  await mkdir(join(live, 'global'), { recursive: true });
  await writeFile(key.live, control(BigInt(stream)));
  const left = join(live, 'postmaster.pid');
  await writeFile(left, '999999999\n');
  await assert.rejects(withhold.run(call), { code: 'refused', message: /says that a server runs there/ });
  await rm(left);
  await withhold.run(call);
  await writeExtent(places, { parts: [{ from: '', to: live }], keeps: [] });
  await writeFile(key.live, control(BigInt(stream)));
  await writeFile(join(live, 'postgresql.auto.conf'), "hba_file = '/the-restore-in-place-is-not-through'\n");
  await writeFile(left, '999999999\n');
  await withhold.run(call);
  assert.deepEqual([existsSync(left), existsSync(key.live)], [false, false]);
});

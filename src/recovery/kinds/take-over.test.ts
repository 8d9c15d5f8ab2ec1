import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { componentContextOver } from '../../../test/support/component-context.ts';
import { controlOf } from '../../../test/support/control-file.ts';
import { newRepository } from '../../../test/support/repository.ts';
import { switchCall } from '../../../test/support/switching.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { systemClock } from '../../clock/clock.ts';
import type { Event } from '../../events/events.ts';
import type { ComponentContext } from '../../job/component.ts';
import { loadPolicy } from '../../policy/load.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import { replacementOf } from './replacement.ts';
import { takingOver } from './take-over.ts';
import { withholding } from './withhold.ts';

async function contextAt(stateFolder: string, mode: 'stream' | 'archive' = 'stream'): Promise<ComponentContext> {
  const storage = new MemoryStorage();
  await using _made = await newRepository(storage);
  const { policy } = loadPolicy(`version: 1
repositories: { near: { url: /near, password: { env: P } } }
tiers: { t: { rpo: 1d } }
components:
  shop-db:
    tier: t
    postgres: { url: { env: U } }
    backups: { daily: { every: 1d, method: physical, to: { near: { keep: { last: 7 } } } } }
    log: { mode: ${mode}, to: { near: { window: 14d } } }
`);
  assert.ok(policy);
  return componentContextOver({ policy, storageOf: () => storage, clock: systemClock, stateFolder });
}

test('what was committed since it took over is stored before it goes: where it can’t be, it stays as it is', async () => {
  await using dir = await tempDir();
  const events: Event[] = [];
  const context = { ...(await contextAt(dir.file('state'))), listener: (event: Event) => void events.push(event) };
  const given = { component: 'shop-db', stream: '7300000000000000001', others: [], within: 'shop-db/data' };
  const call = switchCall('take-over', dir.file('srv/data'), given);
  const { key, places } = replacementOf(context, call);
  for (const folder of [dirname(key.live), dirname(key.fresh)]) mkdirSync(folder, { recursive: true });
  writeFileSync(key.fresh, 'new');
  writeFileSync(key.old, 'old'); // what was withheld of what stood there
  const kind = takingOver(context);
  await kind.run(call);
  assert.equal(readFileSync(key.live, 'utf8'), 'new');

  writeFileSync(dir.file('srv/data/PG_VERSION'), '15\n'); // and no log that can be seen
  await assert.rejects(async () => await kind.undo?.(call), { code: 'refused', message: /no segment of its log/ });
  assert.equal(existsSync(key.live), true, 'it can be started again');
  assert.equal(await kind.isDone(call), 'done');

  renameSync(dir.file('srv'), dir.file('unmounted'));
  await assert.rejects(async () => await kind.undo?.(call), { code: 'refused', message: /mounted/ });
  renameSync(dir.file('unmounted'), dir.file('srv'));

  renameSync(key.live, key.fresh); // as a kill leaves it that came before it was rescued
  await assert.rejects(async () => await kind.undo?.(call), { code: 'refused', message: /no segment of its log/ });
  rmSync(dir.file('srv/data/PG_VERSION'));
  for (let times = 0; times < 2; times += 1) await kind.undo?.(call);
  assert.deepEqual([existsSync(key.live), existsSync(key.fresh)], [false, true], 'nothing starts it any more');
  assert.equal(await kind.isDone(call), 'not done');
  assert.equal(existsSync(places.root), true);
  const told = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.match(told.join('; '), /^near can’t be told which timeline was undone[^;]*$/, 'told once');
});

test('what replaces a lost disk may write the log; where what stood there might not, the command that lets it is told', async () => {
  await using dir = await tempDir();
  const [events, stateFolder, live]: [Event[], string, string] = [[], dir.file('state'), dir.file('srv/data')];
  const listener = (event: Event): void => void events.push(event);
  const context = { ...(await contextAt(stateFolder, 'archive')), listener };
  const stream = '7300000000000000001';
  const call = switchCall('take-over', live, { component: 'shop-db', stream, others: [], within: 'shop-db/data' });
  const { driver, key, places } = replacementOf(context, call);
  const mayWrite = async (place: string): Promise<boolean> =>
    await driver.inPlace.mayWrite(stateFolder, { place, stream });
  const [withhold, takeOver] = [withholding(context), takingOver(context)];
  const standsAt = (path: string): void => {
    mkdirSync(`${path}/global`, { recursive: true });
    const systemIdentifier = BigInt(stream);
    writeFileSync(`${path}/global/pg_control`, controlOf({ systemIdentifier, timeline: 1, version: 1300 }));
  };
  const restoredOnANewDisk = async (): Promise<void> => {
    rmSync(live, { recursive: true });
    if ((await withhold.isDone(call)) === 'not done') await withhold.run(call);
    standsAt(live);
    mkdirSync(places.root, { recursive: true });
    renameSync(key.live, key.fresh);
    await takeOver.run(call);
  };
  standsAt(live);
  await driver.inPlace.takeOver(context, live);
  await restoredOnANewDisk();
  assert.deepEqual([await mayWrite(live), events], [true, []]);

  rmSync(places.root, { recursive: true });
  cpSync(live, dir.file('moved'), { recursive: true });
  await driver.inPlace.takeOver(context, dir.file('moved'));
  await restoredOnANewDisk();
  const told = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  assert.match(
    told.join('; '),
    /is written by .*moved, not by .*data: .* say `holdfast postgres setup shop-db --apply --adopt /,
  );
  assert.deepEqual([await mayWrite(live), await mayWrite(dir.file('moved'))], [false, true]);
});

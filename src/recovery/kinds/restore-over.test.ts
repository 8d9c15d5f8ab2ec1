import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { shopContext } from '../../../test/support/component-context.ts';
import { archiveFolder } from '../../../test/support/engine.ts';
import { newRepository } from '../../../test/support/repository.ts';
import { switchCall } from '../../../test/support/switching.ts';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { systemClock } from '../../clock/clock.ts';
import type { ComponentContext } from '../../job/component.ts';
import { extentText } from '../../log/names.ts';
import type { StepCall } from '../../plan/plan.ts';
import type { Repository } from '../../repository/repository.ts';
import { saveSnapshot } from '../../snapshot/snapshots.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import { overStateOf } from './half-over.ts';
import { replacementOf } from './replacement.ts';
import { restoringOver } from './restore-over.ts';

const stream = '7300000000000000001';

/** As a cluster looks from outside; resolves with its data directory. */
function clusterIn(folder: string): string {
  const data = join(folder, 'shop-db/data');
  const files = {
    'PG_VERSION': '15\n',
    'global/pg_control': 'control',
    'base/5/1': 'a'.repeat(100_000),
    'base/5/2': 'b'.repeat(100),
    'base/6/3': 'c'.repeat(100),
    'pg_wal/000000010000000000000001': 'log',
    'postgresql.auto.conf': '',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(data, name)), { recursive: true });
    writeFileSync(join(data, name), text);
  }
  mkdirSync(join(data, 'pg_tblspc'));
  writeFileSync(join(folder, 'shop-db/postgres.json'), '{}');
  return data;
}

interface Made {
  readonly context: ComponentContext;
  readonly call: StepCall;
  /** Of a plan for the backup with the tablespace, whose disk is `disk`. */
  readonly callOfSpace: StepCall;
  readonly live: string;
}

async function saved(repository: Repository, folder: string, time: string): Promise<string> {
  const tree = await archiveFolder(repository, folder);
  const at = { epoch: 1, from: 0x100_0000n, to: 0x100_0100n };
  const tags = ['hf.component=shop-db', 'hf.rule=full', `hf.log=${extentText({ stream }, at)}`];
  const facts = { hostname: 'here', username: 'ann', uid: 0, gid: 0, excludes: [], programVersion: 'test', others: {} };
  return await saveSnapshot(repository, { ...facts, time, tree, paths: ['/shop-db'], tags });
}

const space = { from: '16400', name: 'PG_15_202209061', slot: 1 };

/** A backup of it, another one with a tablespace since, and what became of the cluster then. */
async function backedUp(dir: TempDir): Promise<Made> {
  const storage = new MemoryStorage();
  await using repository = await newRepository(storage);
  const made = clusterIn(dir.file('made'));
  const point = await saved(repository, dir.file('made'), '2026-11-20T02:00:00Z');
  const copied = join(made, 'pg_tblspc', space.from, space.name);
  mkdirSync(copied, { recursive: true });
  writeFileSync(join(copied, '9'), 'of the tablespace');
  const pointOfSpace = await saved(repository, dir.file('made'), '2026-11-21T02:00:00Z');
  const stateFolder = dir.file('state');
  const context = shopContext({ storage, clock: systemClock, stateFolder });
  const live = clusterIn(dir.file('srv'));
  rmSync(join(live, 'global/pg_control'));
  if (process.getuid?.() === 0) chownSync(live, 65534, 65534);
  const given = { component: 'shop-db', point, stream, others: [], within: 'shop-db/data', over: 'yes' };
  const location = dir.file('disk');
  mkdirSync(join(location, space.name), { recursive: true });
  writeFileSync(join(location, space.name, '9'), 'of the future');
  const later = { ...given, point: pointOfSpace, others: [{ ...space, location }] };
  const callOfSpace = { ...switchCall('restore-over', live, later), hash: 'fedcba9876543210' };
  return { context, live, call: switchCall('restore-over', live, given), callOfSpace };
}

/** A byte that no size or time tells of, what the backup doesn't hold, and a link that leads elsewhere. */
function spoil(live: string, elsewhere: string): void {
  const { atime, mtime } = statSync(join(live, 'base/5/1'));
  writeFileSync(join(live, 'base/5/1'), `${'a'.repeat(99_999)}x`);
  utimesSync(join(live, 'base/5/1'), atime, mtime);
  mkdirSync(join(live, 'base/7'));
  mkdirSync(join(live, 'pg_log'));
  for (const name of ['base/7/1', 'base/5/extra', 'own.txt', 'pg_log/today', 'logfile', 'pg_xact'])
    writeFileSync(join(live, name), 'extra');
  writeFileSync(join(live, 'postgresql.auto.conf'), "work_mem = '8MB'\n");
  rmSync(join(live, 'base/6'), { recursive: true });
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, '3'), 'precious');
  symlinkSync(elsewhere, join(live, 'base/6'));
}

/** Cut off as its n-th item is done; true where it came to its end. */
async function cutAt({ context, call }: Pick<Made, 'context' | 'call'>, items: number): Promise<boolean> {
  const cut = new AbortController();
  let left = items;
  const listener: ComponentContext['listener'] = (event) => {
    if (event.kind === 'note' && 'item' in event.data && --left === 0) cut.abort(new Error('cut'));
  };
  try {
    await restoringOver({ ...context, listener }).run({ ...call, signal: cut.signal });
    return true;
  } catch (error) {
    if (!cut.signal.aborted) throw error;
    return false;
  }
}

test('cut off at any item, a restore over a cluster goes on: what it was is gone, it can’t be started, nothing elsewhere is touched', async () => {
  await using dir = await tempDir();
  const made = await backedUp(dir);
  const { live, context, call } = made;
  spoil(live, dir.file('elsewhere'));
  const { ino } = statSync(join(live, 'base/5/2'));
  const { key, places, driver } = replacementOf(context, call);
  assert.equal(overStateOf(places, driver.inPlace.over), 'untouched');
  writeFileSync(key.live, 'control');
  await assert.rejects(restoringOver(context).run(call), /something else came to/);
  assert.equal(await restoringOver(context).isPastReturn?.(call), false);
  rmSync(key.live);
  let items = 1;
  for (; !(await cutAt(made, items)); items += 1) {
    assert.equal(existsSync(key.live), false);
    assert.equal(overStateOf(places, driver.inPlace.over), 'half over');
    assert.equal(await restoringOver(context).isDone(call), 'not done');
  }
  assert.ok(items > 5, `it was cut off ${items} times`);
  assert.equal(await restoringOver(context).isDone(call), 'done');
  assert.equal(
    await restoringOver(context).isDone({ ...call, hash: 'another' }),
    'not done',
    'another plan does it anew',
  );
  assert.equal(existsSync(key.live), false);
  assert.deepEqual(readdirSync(join(live, 'base')).toSorted(), ['5', '6']);
  assert.deepEqual(readdirSync(join(live, 'base/5')).toSorted(), ['1', '2']);
  assert.equal(readFileSync(join(live, 'base/5/1'), 'utf8'), 'a'.repeat(100_000));
  assert.equal(statSync(join(live, 'base/5/2')).ino, ino);
  assert.equal(lstatSync(join(live, 'base/6')).isDirectory(), true);
  assert.equal(readFileSync(join(live, 'base/6/3'), 'utf8'), 'c'.repeat(100));
  assert.equal(readFileSync(dir.file('elsewhere/3'), 'utf8'), 'precious');
  for (const name of ['own.txt', 'pg_log/today', 'logfile'])
    assert.equal(readFileSync(join(live, name), 'utf8'), 'extra', name);
  assert.equal(existsSync(join(live, 'pg_xact')), false);
  assert.match(readFileSync(join(live, 'postgresql.auto.conf'), 'utf8'), /hba_file = '.*is-not-through'/);
  const saved = join(places.fresh, 'shop-db/.holdfast/auto.conf');
  assert.equal(
    readFileSync(saved, 'utf8'),
    "work_mem = '8MB'\n",
    'production’s settings, whatever was written there since',
  );
  await restoringOver(context).confirm?.(call);
  assert.equal(existsSync(places.root), false);
});

test('what is no cluster, and a log that leads to what is none, are not restored over', async () => {
  await using dir = await tempDir();
  const { context, call, live } = await backedUp(dir);
  writeFileSync(join(live, 'global/pg_control'), 'control');
  rmSync(join(live, 'pg_wal'), { recursive: true });
  mkdirSync(dir.file('home'));
  writeFileSync(dir.file('home/letter'), '');
  symlinkSync(dir.file('home'), join(live, 'pg_wal'));
  const run = async (): Promise<void> => await restoringOver(context).run(call);
  await assert.rejects(run(), { code: 'refused', message: /not just the log of this cluster/ });
  rmSync(join(live, 'PG_VERSION'));
  await assert.rejects(run(), { code: 'refused', message: /no cluster stands in/ });
  assert.equal(existsSync(join(live, 'global/pg_control')), true);
});

test('a cluster that has lost the folder of what nothing starts without is restored over; a link in its place is refused before anything is', async () => {
  await using dir = await tempDir();
  const { context, call, live } = await backedUp(dir);
  rmSync(join(live, 'global'), { recursive: true });
  mkdirSync(dir.file('elsewhere'));
  symlinkSync(dir.file('elsewhere'), join(live, 'global'));
  const kind = restoringOver(context);
  await assert.rejects(kind.run(call), { code: 'damaged', message: /global is a link/ });
  assert.equal(await kind.isPastReturn?.(call), false);
  rmSync(join(live, 'global'));
  await kind.run(call);
  assert.equal(await kind.isDone(call), 'done');
  const { places, driver } = replacementOf(context, call);
  assert.equal(overStateOf(places, driver.inPlace.over), 'half over');
  assert.equal(lstatSync(join(live, 'global')).isDirectory(), true);
  assert.deepEqual(readdirSync(join(live, 'global')), []);
});

test('a second plan writes the tablespaces of its own backup, and no other’s: where they stand, and never through the place', async () => {
  for (const items of [1, 1000]) {
    await using dir = await tempDir();
    const { context, call, callOfSpace, live } = await backedUp(dir);
    const [file, link] = [dir.file(`disk/${space.name}/9`), join(live, 'pg_tblspc', space.from)];
    symlinkSync(dir.file('disk'), link);
    assert.equal(await cutAt({ context, call }, items), items > 1);
    assert.equal(readFileSync(file, 'utf8'), 'of the future', 'a backup that doesn’t know it leaves its folder');
    if (items > 1) assert.equal(existsSync(link), false);
    await restoringOver(context).run(callOfSpace);
    assert.equal(readFileSync(file, 'utf8'), 'of the tablespace');
    assert.equal(readlinkSync(link), dir.file('disk'));
  }
});

test('a plan for a backup from before a tablespace goes on with what one that knew it began: the tablespace loses its link', async () => {
  for (const items of [1, 1000]) {
    await using dir = await tempDir();
    const { context, call, callOfSpace, live } = await backedUp(dir);
    symlinkSync(dir.file('disk'), join(live, 'pg_tblspc', space.from));
    assert.equal(await cutAt({ context, call: callOfSpace }, items), items > 1);
    rmSync(dir.file('disk'), { recursive: true });
    await restoringOver(context).run(call);
    assert.deepEqual(readdirSync(join(live, 'pg_tblspc')), []);
    assert.equal(existsSync(dir.file('disk')), false);
  }
});

test('the disk of a tablespace that isn’t mounted any more is not restored beneath: it is named, and mounted again it goes on', async () => {
  await using dir = await tempDir();
  const { context, callOfSpace } = await backedUp(dir);
  const folder = dir.file(`disk/${space.name}`);
  rmSync(folder, { recursive: true });
  assert.equal(await cutAt({ context, call: callOfSpace }, 1), false);
  assert.equal(existsSync(folder), true, 'what no attempt has begun with is made');
  renameSync(folder, dir.file('unmounted'));
  const run = async (): Promise<void> => await restoringOver(context).run(callOfSpace);
  await assert.rejects(run(), {
    code: 'refused',
    message: /disk\/PG_15_202209061 is restored over in part.*it is gone/,
  });
  assert.equal(existsSync(folder), false);
  renameSync(dir.file('unmounted'), folder);
  await run();
  assert.equal(readFileSync(join(folder, '9'), 'utf8'), 'of the tablespace');
  const note = join(replacementOf(context, callOfSpace).places.root, 'folders');
  writeFileSync(note, readFileSync(note, 'utf8').replaceAll('"folder"', '"mount point"'));
  await assert.rejects(run(), { code: 'refused', message: /nothing is mounted there any more/ });
});

test('of a log on a disk of its own the log goes, and what the disk has there stays', async () => {
  await using dir = await tempDir();
  const { context, call, live } = await backedUp(dir);
  const log = dir.file('log');
  renameSync(join(live, 'pg_wal'), log);
  symlinkSync(log, join(live, 'pg_wal'));
  for (const name of ['lost+found', '.snapshot', 'archive_status']) mkdirSync(join(log, name));
  for (const name of ['lost+found/#1', '.snapshot/old', '000000010000000000000009']) writeFileSync(join(log, name), '');
  if (process.getuid?.() === 0) chownSync(log, 65534, 65534);
  await restoringOver(context).run(call);
  assert.deepEqual(readdirSync(log).toSorted(), ['.snapshot', '000000010000000000000001', 'lost+found']);
  assert.equal(existsSync(join(log, 'lost+found/#1')), true);
  assert.equal(existsSync(join(log, '.snapshot/old')), true);
  assert.equal(readlinkSync(join(live, 'pg_wal')), log);
});

test('within a mount point that has lost what nothing starts without, the plan’s own folder stays', async () => {
  await using dir = await tempDir();
  const { context, call, live } = await backedUp(dir);
  const given = { ...call.step.arguments, replace: 'contents', unseen: 'pgsql_tmp' };
  const within = { ...call, step: { ...call.step, arguments: given } };
  const { places, driver } = replacementOf(context, within);
  assert.equal(dirname(places.root), live);
  assert.equal(await cutAt({ context, call: within }, 1), false);
  assert.equal(overStateOf(places, driver.inPlace.over), 'half over');
  await restoringOver(context).run(within);
  assert.equal(overStateOf(places, driver.inPlace.over), 'half over');
  assert.equal(await restoringOver(context).isDone(within), 'done');
});

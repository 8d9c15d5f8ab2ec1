import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { absent } from '../../../../test/absences.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { parseDescription } from '../description.ts';
import { finishOver, prepareOver } from '../replace/over.ts';
import { prepareData } from '../sandbox-files.ts';
import { finishDirectory, prepareDirectory } from './data-files.ts';
import { Feeder } from './feeder.ts';
import { Workplace } from './workplace.ts';

const serverUser = 65534;
const isRoot = process.getuid?.() === 0;

/** As a backup is restored; `elsewhere` is nothing of its own. */
function restored(dir: TempDir): void {
  for (const folder of ['shop/data', 'elsewhere/data', 'elsewhere/spool'])
    fs.mkdirSync(dir.file(folder), { recursive: true });
  for (const file of ['postmaster.pid', 'data/postmaster.pid', 'auto.conf', 'pg_hba.conf', 'spool/1'])
    fs.writeFileSync(dir.file('elsewhere', file), 'kept');
  fs.writeFileSync(dir.file('shop/data/postgresql.auto.conf'), "work_mem = '4MB'\n");
  if (isRoot) give(dir, 'shop/data');
}

const give = (dir: TempDir, name: string): void => fs.chownSync(dir.file(name), serverUser, serverUser);

function lead(dir: TempDir, name: string, to: string): void {
  fs.rmSync(dir.file(name), { recursive: true, force: true });
  fs.symlinkSync(dir.file(to), dir.file(name));
}

/** Owners, modes and texts. */
function seen(folder: string): readonly (readonly unknown[])[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return ['', ...names].map((name) => {
    const stats = fs.lstatSync(`${folder}/${name}`);
    return [name, stats.uid, stats.mode, stats.isFile() ? fs.readFileSync(`${folder}/${name}`, 'utf8') : ''];
  });
}

const description = parseDescription(
  JSON.stringify({
    ...{ format: 1, version: '15.4', major: 15, systemIdentifier: '7', timeline: 1, startLsn: '0/1', endLsn: '0/2' },
    ...{ walSegmentBytes: 2 ** 24, dataDirectory: null, dataChecksums: 'off', configuration: [], capacities: {} },
    ...{ database: 'shop', superuser: 'postgres', tablespaces: [] },
  }),
);

test('links that a backup holds in place of its folders lead nobody elsewhere: it is told as damaged before anything is written', async () => {
  for (const [name, to] of [
    ['shop', 'elsewhere'],
    ['shop/data', 'elsewhere'],
    ['shop/.holdfast', 'elsewhere'],
  ] as const) {
    await using dir = await tempDir();
    restored(dir);
    if (isRoot) give(dir, 'elsewhere');
    lead(dir, name, to);
    const before = seen(dir.file('elsewhere'));
    assert.throws(() => prepareDirectory(dir.file('shop')), { code: 'damaged', message: /is a link/ }, name);
    assert.deepEqual(seen(dir.file('elsewhere')), before, name);
  }
});

test('a link at the root of a backup doesn’t open the clusters of this host to everybody', async () => {
  for (const name of ['.holdfast', 'shop', 'shop/data']) {
    await using dir = await tempDir();
    restored(dir);
    lead(dir, name, 'elsewhere');
    const before = seen(dir.file('elsewhere'));
    assert.throws(() => prepareData(dir.path, 'shop', description), { code: 'damaged' }, name);
    assert.deepEqual(seen(dir.file('elsewhere')), before, name);
  }
});

test('a file that is written for a server takes the place of a link, whose target is neither read nor written', async () => {
  await using dir = await tempDir();
  restored(dir);
  const before = seen(dir.file('elsewhere'));
  for (const name of ['postgresql.auto.conf.tmp', 'recovery.signal', 'standby.signal', 'postmaster.pid'])
    lead(dir, `shop/data/${name}`, 'elsewhere/auto.conf');
  fs.mkdirSync(dir.file('shop/.holdfast'));
  lead(dir, 'shop/.holdfast/auto.conf.tmp', 'elsewhere/auto.conf');
  lead(dir, 'shop/.holdfast/spool', 'elsewhere/spool');
  prepareDirectory(dir.file('shop'));
  using at = Workplace.open(dir.file('shop'));
  const { owner } = at;
  new Feeder({ own: at.own(), feed: noFeed, segmentBytes: 2 ** 24, owner, clock: systemClock })[Symbol.dispose]();
  finishDirectory(at);
  assert.deepEqual(seen(dir.file('elsewhere')), before);
  assert.match(fs.readFileSync(dir.file('shop/data/postgresql.auto.conf'), 'utf8'), /^work_mem = '4MB'\n/);
  assert.ok(fs.lstatSync(dir.file('shop/data/recovery.signal')).isFile());
});

test('settings that are a link to what only root can read are not handed to the server’s user', async () => {
  await using dir = await tempDir();
  restored(dir);
  lead(dir, 'shop/data/postgresql.auto.conf', 'elsewhere/auto.conf');
  assert.throws(() => prepareDirectory(dir.file('shop')), { code: 'damaged' });
});

const noFeed = {
  order: [],
  segment: async () => assert.fail('nothing is asked'),
  segmentInto: async () => assert.fail('nothing is asked'),
  history: async () => undefined,
};

test(
  'where files of the log grow the server’s user doesn’t get in',
  { skip: isRoot ? false : absent('root') },
  async () => {
    await using dir = await tempDir();
    restored(dir);
    using at = Workplace.open(dir.file('shop'));
    const { owner } = at;
    using _feeder = new Feeder({ own: at.own(), feed: noFeed, segmentBytes: 2 ** 24, owner, clock: systemClock });
    const owners = ['', 'coming', 'wanted', 'ready', 'absent'].map((name) => {
      const { uid, mode } = fs.statSync(dir.file('shop/.holdfast/spool', name));
      return [uid, mode & 0o777];
    });
    const theirs = [serverUser, 0o700];
    assert.deepEqual(owners, [[0, 0o711], [0, 0o700], theirs, theirs, theirs]);
  },
);

test('what is restored over a place is written through our own link, and through none that the server’s user put there', async () => {
  await using dir = await tempDir();
  restored(dir);
  const place = dir.file('live');
  fs.mkdirSync(dir.file('live/pg_wal'), { recursive: true });
  fs.mkdirSync(dir.file('disk/archive_status'), { recursive: true });
  fs.writeFileSync(dir.file('disk/00000002.history'), '');
  if (isRoot) for (const name of ['live', 'disk']) give(dir, name);
  lead(dir, 'live/pg_wal', 'disk');
  lead(dir, 'live/postgresql.auto.conf.tmp', 'elsewhere/auto.conf');
  lead(dir, 'shop/data', 'live');
  const before = seen(dir.file('elsewhere'));
  prepareOver(dir.file('shop'), { place, others: [{ from: '16400', location: dir.file('far'), name: 'PG_15' }] });
  assert.equal(fs.readlinkSync(dir.file('live/pg_tblspc/16400')), dir.file('far'));
  await finishOver(dir.file('shop'), place);
  assert.ok(fs.existsSync(dir.file('disk/archive_status/00000002.history.ready')), 'the log has a disk of its own');
  fs.rmSync(dir.file('disk/archive_status'), { recursive: true });
  lead(dir, 'disk/archive_status', 'elsewhere');
  await assert.rejects(finishOver(dir.file('shop'), place), { code: 'damaged' });
  lead(dir, 'live/postgresql.auto.conf', 'elsewhere/auto.conf');
  fs.rmSync(dir.file('live/pg_tblspc'), { recursive: true });
  lead(dir, 'live/pg_tblspc', 'elsewhere');
  assert.throws(() => prepareOver(dir.file('shop'), { place, others: [] }), { code: 'damaged' });
  assert.deepEqual(seen(dir.file('elsewhere')), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { giveToServer } from '../../../../test/servers/postgres-user.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { conninfoOf, followPrimary, passwordLine, targetTimeline } from './follow-primary.ts';

test('whom a standby follows is the address without its password and database', () => {
  const told = conninfoOf("postgres://backup:se%27cret@db1:5433/shop?sslmode=require&host=/run/o'clock", 'shop-db');
  assert.doesNotMatch(conninfoOf('postgres://ann@db1/shop?sslkey=/k&sslpassword=secret', 'shop-db'), /secret/);
  assert.equal(told, "host='/run/o\\'clock' port='5433' user='backup' sslmode='require' application_name='shop-db'");
});

test('an address that is none is refused, and not repeated', () => {
  assert.throws(
    () => conninfoOf('mysql://backup:secret@db1', 'shop-db'),
    ({ message }: Error) => {
      assert.ok(!message.includes('secret'));
      return true;
    },
  );
});

test('the line of a password file is told as libpq looks for it', () => {
  const lines = (url: string): string => passwordLine(url).join();
  assert.match(lines('postgres://ann:x@[fe80::1]:5433/shop'), /`fe80\\:\\:1:5433:replication:ann:PASSWORD`/);
  const socket = 'postgres:///shop?host=/var/run/postgresql&user=a:b&password=x';
  assert.match(lines(socket), /`localhost:5432:replication:a\\:b:PASSWORD`/);
  assert.match(lines('postgres://:x@db1/shop'), /`db1:5432:replication:\*:PASSWORD`/);
  assert.equal(lines('postgres://ann@db1/shop'), '');
});

test('a standby follows the latest timeline where that is the one that lives, and else the living one by its number', () => {
  assert.equal(targetTimeline(1, undefined), 'latest', 'nobody knows of another');
  assert.equal(targetTimeline(1, { living: 1, known: [] }), 'latest');
  assert.equal(targetTimeline(1, { living: 3, known: [2, 3] }), 'latest');
  assert.equal(targetTimeline(1, { living: 1, known: [2] }), '1', 'one that was left would be found');
  assert.equal(targetTimeline(3, { living: 3, known: [2, 3, 4] }), '3');
  assert.equal(
    targetTimeline(1, { living: 3, known: [3] }),
    '3',
    'a server looks no further than the first that is missing',
  );
});

test('a standby runs no command that production had for its end of a recovery, nor one that clears its archive', async () => {
  await using dir = await tempDir();
  const data = dir.file('data');
  await mkdir(dir.file('.holdfast'));
  await mkdir(data);
  await giveToServer(data);
  await writeFile(
    dir.file('postgres.json'),
    JSON.stringify({
      format: 1,
      version: '15.4',
      major: 15,
      systemIdentifier: '7',
      timeline: 1,
      startLsn: '0/1',
      endLsn: '0/2',
      walSegmentBytes: 16_777_216,
      dataDirectory: null,
      dataChecksums: 'off',
      tablespaces: [],
      configuration: [],
      database: 'postgres',
      superuser: 'postgres',
      capacities: {},
    }),
  );
  const came =
    "archive_cleanup_command = 'rm -rf /archive/%r'\nrecovery_end_command = 'promote-all'\nwork_mem = '8MB'\n";
  await writeFile(dir.file('.holdfast/auto.conf'), came);
  const { signal } = new AbortController();
  const primary = { component: 'a'.repeat(63), programs: [], address: 'postgres://ann@db1/shop' };
  const told = await followPrimary(primary, {
    ...{ folder: dir.path, fetching: undefined, signal },
    epochs: { living: 1, known: [2] },
  });
  const settings = await readFile(`${data}/postgresql.auto.conf`, 'utf8');
  assert.match(settings, /^archive_cleanup_command = ''$/m);
  assert.match(settings, /^recovery_end_command = ''$/m);
  assert.match(settings, /^work_mem/m);
  assert.doesNotMatch(settings, /rm -rf|promote-all/);
  const [, slot = ''] = /slot\('([^']*)'\)/.exec(told.join()) ?? [];
  assert.ok(slot.length > 0 && slot.length <= 63, slot);
});

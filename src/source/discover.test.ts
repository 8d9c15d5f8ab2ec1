import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { loadPolicy } from '../policy/load.ts';
import { problemLine } from '../policy/problem.ts';
import { proposedPolicy } from '../policy/propose.ts';
import { discover, unprotected } from './discover.ts';

test('what stands at usual places is found, and a policy is proposed for it that holds', async () => {
  await using dir = await tempDir();
  assert.deepEqual(discover(dir.path), []);
  for (const path of [
    'var/lib/postgresql',
    'var/lib/docker/volumes/shop',
    'etc/nginx',
    'home/ann',
    'srv',
    'var/spool/cron/crontabs',
    'var/lib/redis',
  ])
    await mkdir(dir.file(path), { recursive: true });
  await writeFile(dir.file('etc/crontab'), '');
  const found = discover(dir.path);
  assert.deepEqual(
    found.map(({ name }) => name),
    ['postgres', 'redis', 'docker-volumes', 'homes', 'configuration', 'cron'],
  );
  assert.match(found.find(({ name }) => name === 'configuration')?.why ?? '', /nginx and cron/);
  for (const some of [found, []]) {
    const text = proposedPolicy(some, { repository: '/home/ann/backups', passwordFile: '/home/ann/it\'s "here"' });
    const { policy, problems } = loadPolicy(text);
    assert.deepEqual(
      problems.map((problem) => problemLine('p', problem)),
      [],
    );
    assert.equal(Object.keys(policy?.components ?? {}).length, Math.max(1, some.length));
  }
  assert.match(
    proposedPolicy(found, { repository: '/home/ann/backups', passwordFile: '/p' }),
    /exclude: \["\/home\/ann\/backups"\]/,
  );
});

test('what a policy doesn’t protect is told; a folder within another, and another way to dump, are protected', async () => {
  await using dir = await tempDir();
  for (const path of ['var/lib/postgresql', 'home/ann', 'etc/nginx']) await mkdir(dir.file(path), { recursive: true });
  const found = discover(dir.path);
  const missed = (paths: readonly string[], dumps: readonly string[]): readonly string[] =>
    unprotected(found, { paths, dumps }).map(({ name }) => name);
  assert.deepEqual(missed([], []), ['postgres', 'homes', 'configuration']);
  assert.deepEqual(missed(['/'], ['/usr/bin/pg_dump -Fc shop']), []);
  assert.deepEqual(missed(['/home/ann', '/etc/'], ['mypg_dump']), ['postgres', 'homes']);
});

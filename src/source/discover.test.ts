import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { loadPolicy } from '../policy/load.ts';
import { problemLine } from '../policy/problem.ts';
import { proposedPolicy } from '../policy/propose.ts';
import { inventoryOf } from '../../test/support/sources/inventory.ts';
import { discover, unprotected } from './discover.ts';
import { sourceKinds } from './kinds.ts';

test('what stands at usual places is found and left as it is, and a policy is proposed for it that holds', async () => {
  await using dir = await tempDir();
  const looked = { root: dir.path, leftOut: ['/home/ann/backups'] };
  assert.deepEqual(discover(sourceKinds, looked), []);
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
  const before = await inventoryOf(dir.path);
  const found = discover(sourceKinds, looked);
  assert.deepEqual(await inventoryOf(dir.path), before);
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
  const found = discover(sourceKinds, { root: dir.path, leftOut: [] });
  const missed = (paths: readonly string[], dumps: readonly string[]): readonly string[] => {
    const files = paths.map((path) => ({ kind: 'files', options: { paths: [path] } }));
    const commands = dumps.map((dump) => ({ kind: 'command', options: { dump } }));
    return unprotected(sourceKinds, found, [...files, ...commands]).map(({ name }) => name);
  };
  assert.deepEqual(missed([], []), ['postgres', 'homes', 'configuration']);
  assert.deepEqual(missed(['/'], ['/usr/bin/pg_dump -Fc shop']), []);
  assert.deepEqual(missed(['/home/ann', '/etc/'], ['mypg_dump']), ['postgres', 'homes']);
});

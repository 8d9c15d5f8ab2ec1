import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { servedHoldfast } from './support/holdfast.ts';
import { scene } from './support/scene.ts';

test('init makes a repository of format 2, or 1, and refuses to make it twice', async () => {
  await using on = await scene();
  const at = { ...on.at, repository: on.dir.file('new/deep') };
  const first = await servedHoldfast(at, ['init']);
  assert.match(first.stdout.toString(), /^created repository \w{10} at \//);
  assert.match(first.stdout.toString(), /Keep the password/);
  assert.equal((await servedHoldfast(at, ['init'])).code, 1);
  assert.match((await servedHoldfast(at, ['cat', 'config'])).stdout.toString(), /"version": 2,/);
  const old = { ...on.at, repository: on.dir.file('old') };
  assert.equal((await servedHoldfast(old, ['init', '--repository-version', '1'])).code, 0);
  assert.match((await servedHoldfast(old, ['cat', 'config'])).stdout.toString(), /"version": 1,/);
  assert.equal((await servedHoldfast(old, ['init', '--copy-chunker-params'])).code, 2);
});

test('keys are listed, added, removed and changed, and the one in use stays', async () => {
  await using on = await scene();
  writeFileSync(on.dir.file('second'), 'second\n');
  writeFileSync(on.dir.file('third'), 'third\n');
  await on.ok('key', 'add', '--new-password-file', on.dir.file('second'), '--user', 'bob', '--host', 'far');
  const keys = await on.records('key', 'list');
  assert.deepEqual(
    keys
      .map(({ userName, hostName, current }) => `${String(userName)}@${String(hostName)} ${String(current)}`)
      .toSorted((a, b) => (a < b ? -1 : 1)),
    ['ann@host true', 'bob@far false'],
  );
  assert.match(await on.ok('key', 'list'), /^\*\w{8} +ann +host/m);
  const second = { ...on.at, password: 'second' };
  assert.equal((await servedHoldfast(second, ['list', 'keys'])).code, 0);
  const current = String(keys.find((key) => key['current'])?.['id']);
  assert.equal((await on.run(['key', 'remove', current])).code, 1, 'the key in use');
  assert.equal((await on.run(['key', 'remove', ''])).code, 1, 'more than one begins like this');
  assert.equal((await servedHoldfast(second, ['key', 'passwd', '--new-password-file', on.dir.file('third')])).code, 0);
  assert.equal((await servedHoldfast(second, ['list', 'keys'])).code, 12);
  const third = { ...on.at, password: 'third' };
  const other = (await on.records('key', 'list')).find((key) => !key['current']);
  assert.equal((await servedHoldfast(third, ['list', 'keys'])).code, 0);
  await on.ok('key', 'remove', String(other?.['id']));
  assert.equal((await servedHoldfast(third, ['list', 'keys'])).code, 12);
  await on.ok('key', 'add', '--new-insecure-no-password');
  assert.equal((await servedHoldfast({ ...on.at, password: '' }, ['list', 'keys', '--insecure-no-password'])).code, 0);
});

test('tag adds, removes and sets tags, and keeps where a snapshot came from', async () => {
  await using on = await scene();
  const first = await on.backup(on.source, '--tag', 'a');
  const tags = async (): Promise<unknown> => (await on.records('snapshots'))[0]?.['tags'];
  await on.ok('tag', '--add', 'b,c');
  assert.deepEqual(await tags(), ['a', 'b', 'c']);
  await on.ok('tag', '--remove', 'a', '--add', 'd', 'latest');
  assert.deepEqual(await tags(), ['b', 'c', 'd']);
  await on.ok('tag', '--set', 'x', '--tag', 'b');
  assert.deepEqual(await tags(), ['x']);
  assert.match(await on.ok('tag', '--add', 'x'), /no snapshot was changed/);
  await on.ok('tag', '--set', '');
  assert.equal(await tags(), undefined);
  assert.equal((await on.records('snapshots'))[0]?.['original'], first);
  assert.equal((await on.run(['tag'])).code, 2);
  assert.equal((await on.run(['tag', '--set', 'a', '--add', 'b'])).code, 2);
});

test('stats counts in restic’s four ways', async () => {
  await using on = await scene();
  await on.ok('backup', on.source);
  await on.ok('backup', on.source);
  const size = async (...args: readonly string[]): Promise<unknown> =>
    (await on.records('stats', ...args))[0]?.['total_size'];
  const once = 6 + 2000 + 5;
  assert.equal(await size(), 2 * once, 'hard links count once in each snapshot');
  assert.equal(await size('latest'), once);
  assert.equal(await size('--mode', 'files-by-contents'), once);
  assert.equal(await size('--mode', 'blobs-per-file'), once);
  assert.match(await on.ok('stats', '--mode', 'raw-data'), /Compression Ratio: +\d+\.\d\dx/);
  assert.equal((await on.run(['stats', '--mode', 'other'])).code, 2);
});

test('cat and list show objects as they are stored', async () => {
  await using on = await scene();
  const id = await on.backup(on.source);
  const one = async (kind: string): Promise<string> => (await on.ok('list', kind)).split('\n')[0] ?? '';
  assert.equal(await one('snapshots'), id);
  assert.match(
    await on.ok('cat', 'config'),
    /^\{\n {2}"version": 2,\n {2}"id": "\w{64}",\n {2}"chunker_polynomial": "\w+"\n\}\n$/,
  );
  assert.match(await on.ok('cat', 'snapshot', id.slice(0, 10)), /"program_version": "holdfast /);
  assert.match(await on.ok('cat', 'index', await one('index')), /"packs": \[/);
  assert.match(await on.ok('cat', 'key', await one('keys')), /"kdf": "scrypt"/);
  assert.match(await on.ok('cat', 'tree', 'latest'), /^\{"nodes":\[/);
  const [, type = '', blob = ''] = /^(data|tree) (\w{64})$/m.exec(await on.ok('list', 'blobs')) ?? [];
  assert.ok(type !== '' && (await on.ok('cat', 'blob', blob)).length > 0);
  assert.ok((await on.run(['cat', 'pack', await one('packs')])).stdout.length > 100);
  assert.equal((await on.run(['cat', 'nothing', 'x'])).code, 2);
  assert.equal((await on.run(['cat', 'blob', 'short'])).code, 2);
  assert.equal((await on.run(['list', 'nothing'])).code, 2);
  assert.equal(await on.ok('list', 'locks'), '');
});

test('cat masterkey shows the key as restic does', { skip: withoutRestic('0.19.1') }, async () => {
  await using on = await scene();
  const shown = await on.ok('cat', 'masterkey');
  assert.match(shown, /"mac": \{\n {4}"k": "/);
  assert.equal(shown, await resticOk('0.19.1', on.at, ['cat', 'masterkey']));
});

test('doctor storage proves each promise and leaves nothing behind', async () => {
  await using on = await scene();
  mkdirSync(on.dir.file('storage'));
  const text = await on.ok('doctor', 'storage', on.dir.file('storage'));
  assert.match(text, /^✔ /m);
  assert.match(text, /the storage keeps every promise that was tried/);
  assert.deepEqual(
    readdirSync(on.dir.file('storage'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    [],
  );
  const records = await on.records('doctor', 'storage', on.dir.file('storage'));
  const types = records.map((record) => record['message_type']);
  assert.deepEqual(types.slice(-7), [...Array.from({ length: 4 }, () => 'latency'), 'rate', 'rate', 'summary']);
  assert.ok(types.slice(0, -7).every((type) => type === 'statement'));
  assert.deepEqual(records.at(-1), {
    message_type: 'summary',
    ok: types.length - 7,
    warning: 0,
    failed: 0,
    unknown: 0,
  });
  assert.deepEqual(records[0], { message_type: 'statement', about: 'clock', state: 'ok', text: records[0]?.['text'] });
  const [rate, rates] = records.slice(-3, -1);
  assert.deepEqual([rate?.['connections'], rate?.['bytes'], rates?.['connections']], [1, 32 * 1024 * 1024, 4]);
  assert.equal((await on.run(['doctor', 'storage', '/nowhere/at/all'])).code, 1);
});

test('version tells Holdfast’s, Node’s and the system’s', async () => {
  await using on = await scene();
  const [version] = await on.records('version');
  assert.match(String(version?.['version']), /^\d+\.\d+\.\d+$/);
  assert.equal(version?.['os'], process.platform);
});

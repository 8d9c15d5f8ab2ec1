import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { makeKeyFile, randomMasterKey } from '../crypto/key.ts';
import { fileIdFor } from '../crypto/id.ts';
import { silent } from '../events/events.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { createRepository, type CreateOptions } from './create.ts';
import { openRepository } from './open.ts';

const clock = new ManualClock();
const kdf = { N: 2, r: 1, p: 1 };
const owner = { hostname: 'host', username: 'ann', kdf };
const key = { ...owner, password: 'secret' };

function options(storage: MemoryStorage): CreateOptions {
  return { storage, clock, key, version: 2 };
}

async function names(storage: MemoryStorage, prefix: string): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(prefix), (info) => info.key)).sort();
}

test('a new repository has one key and a config, and opens with its password alone', async () => {
  const storage = new MemoryStorage();
  const created = await createRepository(options(storage));
  assert.deepEqual(await names(storage, ''), ['config', `keys/${created.keyId}`]);
  const opened = await openRepository({ storage, clock, password: 'secret' });
  assert.deepEqual(opened.config, created.config);
  assert.equal(opened.keyId, created.keyId);
  await assert.rejects(openRepository({ storage, clock, password: 'other' }), { code: 'wrong-password', exitCode: 12 });
});

test('two repositories have other IDs and other polynomials', async () => {
  const [one, two] = await Promise.all([
    createRepository(options(new MemoryStorage())),
    createRepository(options(new MemoryStorage())),
  ]);
  assert.notEqual(one.config.id, two.config.id);
  assert.notEqual(one.config.chunkerPolynomial, two.config.chunkerPolynomial);
});

test('what is no repository is said so', async () => {
  const storage = new MemoryStorage();
  await assert.rejects(openRepository({ storage, clock, password: 'x' }), { code: 'no-repository', exitCode: 10 });
});

test('a repository is never made over one, nor over what remains of one', async () => {
  const storage = new MemoryStorage();
  await createRepository(options(storage));
  const before = new Map(storage.durable);
  await assert.rejects(createRepository(options(storage)), { code: 'refused' });
  await storage.remove('config');
  await assert.rejects(createRepository(options(storage)), { code: 'refused' });
  for (const name of await names(storage, 'keys/')) await storage.remove(name);
  await storage.put(`snapshots/${'0'.repeat(64)}`, [Buffer.of(1)]);
  await assert.rejects(createRepository(options(storage)), { code: 'refused' });
  assert.equal(before.size, 2);
});

test('files that are written are listed and read back, and a changed one is damaged', async () => {
  const storage = new MemoryStorage();
  await using repository = await createRepository(options(storage));
  for (const kind of ['index', 'snapshots', 'locks'] as const) {
    const json = Buffer.from(`{"packs":[],"kind":"${kind}"}`);
    const id = await repository.writeFile(kind, json);
    assert.deepEqual(await Array.fromAsync(repository.list(kind), (file) => file.id), [id]);
    assert.deepEqual(Buffer.from(await repository.readFile(kind, id)), json);
    const stored = await storage.get(`${kind}/${id}`);
    stored[40] = (stored[40] ?? 0) ^ 1;
    await storage.put(`${kind}/${id}`, [stored]);
    await assert.rejects(repository.readFile(kind, id), { code: 'damaged' });
    await storage.put(`${kind}/${fileIdFor(stored)}`, [stored]);
    await assert.rejects(repository.readFile(kind, fileIdFor(stored)), { code: 'damaged' });
  }
});

test('names that are no IDs are not listed', async () => {
  const storage = new MemoryStorage();
  await using repository = await createRepository(options(storage));
  await storage.put('index/notes.txt', [Buffer.of(1)]);
  await storage.put(`data/ff/${'0'.repeat(64)}`, [Buffer.of(1)]);
  assert.deepEqual(await Array.fromAsync(repository.list('index')), []);
  assert.deepEqual(await Array.fromAsync(repository.list('data')), []);
});

test('a blob that no index names is missing', async () => {
  await using repository = await createRepository(options(new MemoryStorage()));
  await repository.loadIndex(silent);
  const id = '12'.repeat(32);
  await assert.rejects(repository.readBlob('data', parseFileId(id) as never), { code: 'blob-missing' });
});

test('at most twenty keys are tried, the hinted one first', async () => {
  const storage = new MemoryStorage();
  await createRepository(options(storage));
  const master = randomMasterKey();
  for (let n = 0; n < 25; n += 1) {
    const bytes = await makeKeyFile({
      password: `other ${n}`,
      params: kdf,
      master,
      created: '2026-01-01T00:00:00Z',
      hostname: 'h',
      username: 'u',
    });
    await storage.put(`keys/${fileIdFor(bytes)}`, [bytes]);
  }
  const ids = (await names(storage, 'keys/')).map((name) => name.slice('keys/'.length));
  const last = ids.at(-1) ?? '';
  const all = await Promise.allSettled(
    ids.map((id) => openRepository({ storage, clock, password: 'secret', keyHint: id.slice(0, 12) })),
  );
  assert.ok(all.some(({ status }) => status === 'fulfilled'));
  await assert.rejects(openRepository({ storage, clock, password: 'nobody', keyHint: last }), {
    code: 'wrong-password',
    message: /first 20 of 26/,
  });
});

test('a damaged key file does not keep the others from opening', async () => {
  const storage = new MemoryStorage();
  const { keys } = await createRepository(options(storage));
  await storage.put(`keys/${'0'.repeat(64)}`, [Buffer.from('{}')]);
  await openRepository({ storage, clock, password: 'secret' });
  const unreadable: string[] = [];
  const list = await keys.list((id) => unreadable.push(id));
  assert.deepEqual(unreadable, ['0'.repeat(64)]);
  assert.deepEqual(
    list.map(({ hostname, username, current }) => ({ hostname, username, current })),
    [{ hostname: 'host', username: 'ann', current: true }],
  );
});

test('a password is added, used, and removed, but never the one in use', async () => {
  const storage = new MemoryStorage();
  const first = await createRepository(options(storage));
  const second = await first.keys.add({ ...owner, password: 'second' });
  const opened = await openRepository({ storage, clock, password: 'second' });
  assert.equal(opened.keyId, second);
  await assert.rejects(opened.keys.remove(second), { code: 'refused' });
  await opened.keys.remove(first.keyId);
  await assert.rejects(openRepository({ storage, clock, password: 'secret' }), { code: 'wrong-password' });
});

test('a changed password replaces the old one', async () => {
  const storage = new MemoryStorage();
  const repository = await createRepository(options(storage));
  const id = await repository.keys.changePassword({ ...owner, password: 'new' });
  assert.equal(repository.keyId, id);
  assert.deepEqual(await names(storage, 'keys/'), [`keys/${id}`]);
  await openRepository({ storage, clock, password: 'new' });
});

test('a repository that rustic marked append-only takes no change but locks', async () => {
  const storage = new MemoryStorage();
  const { config, ...made } = await createRepository(options(storage));
  assert.ok(made);
  const opened = await openRepository({ storage, clock, password: 'secret' });
  Object.assign(opened.config, { appendOnly: true });
  await assert.rejects(opened.writeFile('snapshots', Buffer.from('{}')), { code: 'refused' });
  await assert.rejects(opened.keys.add({ ...owner, password: 'second' }), { code: 'refused' });
  const lock = await opened.writeFile('locks', Buffer.from('{}'));
  await opened.removeFile('locks', lock);
  await assert.rejects(opened.removeFile('snapshots', lock), { code: 'refused' });
  assert.equal(config.appendOnly, false);
});

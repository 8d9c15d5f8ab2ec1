import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../clock/clock.ts';
import { openLocal } from './local.ts';
import type { Storage } from './storage.ts';

const bytes = new Uint8Array([1, 2, 3]);

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-local-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function keysOf(storage: Storage, prefix = ''): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys.toSorted();
}

test('files are for their owner alone and read-only, folders for the owner alone', async (t) => {
  const folder = await temporaryFolder(t);
  await (await openLocal(folder)).put('data/ab/abcd', [bytes]);
  assert.equal((await stat(join(folder, 'data/ab/abcd'))).mode & 0o777, 0o400);
  assert.equal((await stat(join(folder, 'data'))).mode & 0o777, 0o700);
});

test('a config that the group may read shares all that follows with the group', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'config'), bytes, { mode: 0o640 });
  await chmod(join(folder, 'config'), 0o640);
  await (await openLocal(folder)).put('keys/abcd', [bytes]);
  assert.equal((await stat(join(folder, 'keys/abcd'))).mode & 0o777, 0o440);
});

test('what a crash left behind is invisible, and removed once it is old', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('data/ab/abcd', [bytes]);
  const [old, young] = ['old', 'young'].map((name) => join(folder, 'data/ab', `~holdfast-${name}`));
  assert.ok(old && young);
  await writeFile(old, bytes);
  await writeFile(young, bytes);
  await utimes(old, 1000, 1000);
  assert.deepEqual(await keysOf(storage), ['data/ab/abcd']);
  assert.equal(await storage.removeLeftovers?.(2_000_000_000_000n), 1);
  assert.deepEqual((await readdir(join(folder, 'data/ab'))).toSorted(), ['abcd', '~holdfast-young']);
});

test('below a prefix alone, what a crash left goes with the folders that are empty then', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('run/1/kept', [bytes]);
  await storage.put('run/2/deep/gone', [bytes]);
  await storage.remove('run/2/deep/gone');
  for (const name of ['run/2/deep', 'run/1', '']) await writeFile(join(folder, name, '~holdfast-left'), bytes);
  const before = systemClock.nowNs() + 3_600_000_000_000n;
  assert.equal(await storage.removeLeftovers?.(before, { below: 'run/' }), 2);
  const found = await readdir(folder, { recursive: true });
  assert.deepEqual(found.toSorted(), ['run', 'run/1', 'run/1/kept', '~holdfast-left']);
  assert.equal(await storage.removeLeftovers?.(before, { below: 'nothing/there/' }), 0);
  await storage.put('run/2/deep/again', [bytes]);
});

test('a failed put leaves nothing behind', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('a/taken', [bytes]);
  await assert.rejects(storage.put('a/taken', [bytes], { ifAbsent: true }), { code: 'storage-exists' });
  await mkdir(join(folder, 'a/folder'));
  await assert.rejects(storage.put('a/folder', [bytes]), { code: 'storage-failed' });
  await assert.rejects(storage.put('a/taken/below', [bytes]), { code: 'storage-failed' });
  assert.deepEqual((await readdir(join(folder, 'a'))).toSorted(), ['folder', 'taken']);
});

test('what was given up while it was written does not appear later', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('locks/first', [bytes]);
  const isInTheMaking = async (): Promise<boolean> =>
    (await readdir(join(folder, 'locks'))).some((name) => name.startsWith('~'));
  const giveUp = new AbortController();
  const putting = storage.put('locks/second', [Buffer.alloc(64 * 1024 * 1024)], { signal: giveUp.signal });
  while (!(await isInTheMaking()));
  giveUp.abort(new Error('given up'));
  await assert.rejects(putting, /given up/);
  while (await isInTheMaking());
  assert.deepEqual(await keysOf(storage), ['locks/first']);
});

test('a folder is not an object', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('a/b/c', [bytes]);
  await assert.rejects(storage.get('a/b'), { code: 'storage-not-found' });
  await assert.rejects(storage.stat('a/b'), { code: 'storage-not-found' });
  await assert.rejects(storage.remove('a/b'), { code: 'storage-not-found' });
  assert.deepEqual(await keysOf(storage), ['a/b/c']);
});

test('when the folder is gone, every call says so and none makes it anew', async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  const storage = await openLocal(root, { create: true });
  await storage.put('data/ab', [bytes]);
  await rename(root, join(folder, 'elsewhere'));
  await assertMissing(storage);
  assert.deepEqual(await readdir(folder), ['elsewhere']);
});

test('when another folder stands in its place, as after unmounting, it is not touched', async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  const storage = await openLocal(root, { create: true });
  await storage.put('data/ab', [bytes]);
  await rename(root, join(folder, 'elsewhere'));
  await mkdir(join(root, 'data'), { recursive: true });
  await assertMissing(storage);
  assert.deepEqual(await readdir(root, { recursive: true }), ['data']);
});

async function assertMissing(storage: Storage): Promise<void> {
  const missing = { code: 'storage-missing' };
  await assert.rejects(storage.put('data/cd', [bytes]), missing);
  await assert.rejects(storage.put('new/cd', [bytes], { ifAbsent: true }), missing);
  await assert.rejects(storage.get('data/ab'), missing);
  await assert.rejects(storage.stat('data/ab'), missing);
  await assert.rejects(storage.remove('data/ab'), missing);
  await assert.rejects(keysOf(storage), missing);
  await assert.rejects(keysOf(storage, 'data/'), missing);
}

test('a folder removed behind its back is made again', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('holdfast/x/1', [bytes]);
  await rm(join(folder, 'holdfast'), { recursive: true });
  await storage.put('holdfast/x/2', [bytes]);
  assert.deepEqual(await keysOf(storage), ['holdfast/x/2']);
});

test('links to folders and files on other disks are followed', async (t) => {
  const folder = await temporaryFolder(t);
  const root = join(folder, 'root');
  const storage = await openLocal(root, { create: true });
  await mkdir(join(folder, 'other'));
  await symlink('../other', join(root, 'data'));
  await storage.put('data/ab/1', [bytes]);
  assert.deepEqual(await keysOf(storage, 'data/'), ['data/ab/1']);
  assert.deepEqual(await keysOf(storage), ['data/ab/1']);
  assert.equal((await storage.get('data/ab/1')).length, 3);
});

test('what is no key is left out of lists: foreign files, fifos, odd names', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  await storage.put('data/ab', [bytes]);
  await writeFile(join(folder, 'data', 'with space'), bytes);
  await mkdir(join(folder, 'lost+found'));
  await symlink('nowhere', join(folder, 'dangling'));
  assert.deepEqual(await keysOf(storage), ['data/ab']);
});

test('two programs that create one object: one succeeds, the other is told', async (t) => {
  const folder = await temporaryFolder(t);
  const one = await openLocal(folder);
  const other = await openLocal(folder);
  const results = await Promise.allSettled(
    [one, other].map((storage) => storage.put('x/y', [bytes], { ifAbsent: true })),
  );
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('a plain file is no storage', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), bytes);
  await assert.rejects(openLocal(join(folder, 'file')), { code: 'storage-missing' });
  await assert.rejects(openLocal(join(folder, 'file', 'below')), { code: 'storage-missing' });
});

test('workers can read an object as a plain file', async (t) => {
  const folder = await temporaryFolder(t);
  const storage = await openLocal(folder);
  assert.equal(storage.capabilities.localPath?.('data/ab'), join(folder, 'data/ab'));
  assert.throws(() => storage.capabilities.localPath?.('../ab'), { code: 'internal' });
});

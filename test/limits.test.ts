import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openStorage } from '../src/storage/open.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { scene } from './support/scene.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

async function msOf(task: () => Promise<unknown>): Promise<number> {
  const start = systemClock.monotonicMs();
  await task();
  return systemClock.monotonicMs() - start;
}

test('--limit-upload and --limit-download keep a backup and a restore at their rates', async () => {
  await using on = await scene();
  const bytes = 3 * 1024 * 1024;
  writeFileSync(`${on.source}/large`, randomBytes(bytes));
  // A second's worth goes at once.
  assert.ok((await msOf(() => on.ok('--limit-upload', '1024', 'backup', on.source))) >= 2000);
  const restore = ['restore', 'latest', '--target', on.dir.file('back')];
  assert.ok((await msOf(() => on.ok('--limit-download', '1024', ...restore))) >= 2000);
});

test('the limits hold within an object of a REST server', { skip: withoutRestServer() }, async () => {
  await using server = await startRestServer();
  const repository = `rest:http://127.0.0.1:${server.port}/`;
  await cheapRepositoryAt(repository, {});
  const limits = { uploadBytesPerSecond: 1000, downloadBytesPerSecond: 200 };
  await using storage = await openStorage(repository, { limits });
  const key = 'locks/5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'; // of 'hello' and a line end
  await storage.put(key, [Buffer.from('hello\n')]);
  const large = randomBytes(700);
  const uploaded = async (): Promise<void> => {
    for (const bytes of [large, Buffer.from(large).reverse()])
      await storage.put(`locks/${createHash('sha256').update(bytes).digest('hex')}`, [bytes]);
  };
  assert.ok((await msOf(uploaded)) >= 300);
  const twice = async (): Promise<void> => {
    for (let times = 0; times < 2; times++) await storage.get('config');
  };
  assert.ok((await msOf(twice)) >= 300);
});

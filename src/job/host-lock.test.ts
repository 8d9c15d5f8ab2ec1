import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { systemClock } from '../clock/clock.ts';
import { startProgram } from '../host/process.ts';
import { hostLock } from './host-lock.ts';

test('of many who ask at once one has the lock of a host; who gave it back has it no more', async () => {
  await using dir = await tempDir();
  const path = dir.file('locks/shop-r');
  for (let round = 0; round < 3; round += 1) {
    const asked = await Promise.all(Array.from({ length: 8 }, () => hostLock(path)));
    const [lock, ...others] = asked.filter((one) => 'assertHeld' in one);
    assert.deepEqual(others, []);
    assert.ok(lock !== undefined);
    assert.deepEqual(await hostLock(path), { by: 'another process of this host', state: 'running' });
    await lock[Symbol.asyncDispose]();
  }
});

test('a process that is killed gives the lock of its host back', async () => {
  await using dir = await tempDir();
  const path = dir.file('shop-r');
  const script = `
    import { lockFile } from ${JSON.stringify(new URL('../host/file-lock.ts', import.meta.url).href)};
    const lock = lockFile(process.argv[1]);
    process.stdout.write(typeof lock);
    setInterval(() => lock, 1000);`;
  const killing = new AbortController();
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script, path];
  const options = { args, clock: systemClock, signal: killing.signal, input: 'empty' } as const;
  await using holder = await startProgram(process.execPath, options);
  for await (const said of holder.output) {
    assert.equal(Buffer.from(said).toString(), 'object');
    break;
  }
  assert.deepEqual(await hostLock(path), { by: 'another process of this host', state: 'running' });
  killing.abort();
  await holder.ended;
  const lock = await hostLock(path);
  assert.ok('assertHeld' in lock);
  await lock[Symbol.asyncDispose]();
});

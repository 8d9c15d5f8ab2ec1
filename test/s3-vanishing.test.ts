import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutGo } from './servers/go-program.ts';
import { httpProxy } from './servers/proxy.ts';
import { versitygw } from './servers/versitygw.ts';
import { runHoldfast, servedHoldfast, servedOk, type RepositoryAt } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const skip = withoutGo();

/** The files of a repository below a folder, by their IDs. */
function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const named = files.filter(({ name }) => /^[0-9a-f]{64}$/.test(name));
  return new Map(named.map(({ name, parentPath }) => [name, readFileSync(join(parentPath, name))]));
}

test(
  'a bucket that vanishes during a backup is told in bounded time; once it is back everything goes on',
  { skip, timeout: 240_000 },
  async () => {
    await using server = await versitygw();
    await using dir = await tempDir();
    const bucket = server.running.dir.file('data/bucket');
    const away = server.running.dir.file('away');
    let armed = false;
    await using proxy = await httpProxy(server.running.port, ({ method, url = '' }) => {
      if (armed && method === 'PUT' && url.includes('/data/')) {
        armed = false;
        renameSync(bucket, away);
      }
      return undefined;
    });
    const at: RepositoryAt = { repository: `s3:http://127.0.0.1:${proxy.port}/bucket/team`, password: 'secret' };
    const options = { cwd: dir.path, env: server.owner };
    const cache = ['--cache-dir', dir.file('cache')];
    const ok = async (...args: readonly string[]): Promise<string> => await servedOk(at, [...cache, ...args], options);
    writeFileSync(dir.file('first'), randomBytes(1024 * 1024));
    writeFileSync(dir.file('second'), randomBytes(9 * 1024 * 1024));
    await cheapRepositoryAt(at.repository, { environment: server.owner });
    await ok('backup', 'first');
    await ok('snapshots');
    const cached = filesIn(dir.file('cache'));
    assert.ok(cached.size >= 2);

    armed = true;
    // The program itself: the lock that it leaves is that of a process which is gone.
    const ended = await runHoldfast(at, [...cache, 'backup', '--pack-size', '4', 'first', 'second'], options);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /NoSuchBucket/);
    assert.match(ended.stderr, /storage-missing/);
    for (const command of [
      ['forget', '--keep-last', '1', '--prune'],
      ['backup', 'first'],
    ])
      assert.equal((await servedHoldfast(at, [...cache, ...command], options)).code, 10, command.join(' '));
    const now = filesIn(dir.file('cache'));
    for (const [name, bytes] of cached) assert.ok(now.get(name)?.equals(bytes), `${name} is no more in the cache`);

    mkdirSync(bucket);
    assert.equal((await servedHoldfast(at, [...cache, 'snapshots'], options)).code, 10);
    rmSync(bucket, { recursive: true });
    renameSync(away, bucket);
    assert.match(await ok('snapshots'), /\b1 snapshots?\b/);
    await ok('unlock'); // the backup that lost the bucket couldn't
    await ok('backup', 'first', 'second');
    await ok('check', '--read-data');
    await ok('restore', 'latest', '--target', dir.file('back'));
    assert.deepEqual(readFileSync(dir.file('back', 'second')), readFileSync(dir.file('second')));
    const stored = filesIn(bucket);
    for (const [id, bytes] of filesIn(dir.file('cache'))) {
      const whole = stored.get(id);
      assert.ok(whole === undefined || whole.equals(bytes), `the cache has another ${id}`);
    }
  },
);

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { hasCode } from '../src/errors/error.ts';
import { openStorage } from '../src/storage/open.ts';
import { openS3 } from '../src/storage/s3.ts';
import { withoutGo } from './servers/go-program.ts';
import { resticOk } from './servers/restic.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { versitygw } from './servers/versitygw.ts';
import { proveConforms, needsStaging } from './support/conformance.ts';
import { holdfastOk, runHoldfast, servedHoldfast, servedOk } from './support/holdfast.ts';
import { systemClock } from '../src/clock/clock.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const skip = withoutGo();

for (const { name, start } of s3Servers) {
  test(`S3 on ${name} keeps the contract of storages`, { skip }, async (context) => {
    await using server = await start();
    const settings = { create: true, environment: server.owner, throttles: {} } as const;
    await using storage = await openS3(`${server.endpoint}/bucket/a/prefix`, settings);
    await proveConforms(context, `S3 (${name})`, storage, [needsStaging]);
  });

  test(`on ${name} a large object goes up in parts, and an interrupted upload is cleared away`, { skip }, async () => {
    await using server = await start();
    const settings = { create: true, environment: server.owner, throttles: {} } as const;
    const address = `${server.endpoint}/bucket`;
    await using storage = await openS3(address, settings, { partBytes: 5 * 1024 * 1024 });
    const bytes = Buffer.alloc(12_000_001, 'holdfast');
    await storage.put('data/large', [bytes.subarray(0, 3), bytes.subarray(3, 7_000_000), bytes.subarray(7_000_000)]);
    assert.ok(bytes.equals(await storage.get('data/large')));
    const again = storage.put('data/large', [bytes], { ifAbsent: true });
    await assert.rejects(again, { code: 'storage-exists' });
    const giveUp = new AbortController();
    const pieces = [bytes, bytes, bytes];
    const putting = storage.put('data/other', pieces, { signal: giveUp.signal });
    giveUp.abort(new Error('given up'));
    await assert.rejects(putting, /given up/);
    await storage.removeLeftovers?.(BigInt(Date.parse('2100-01-01')) * 1_000_000n);
    assert.equal(await storage.removeLeftovers?.(BigInt(Date.parse('2100-01-01')) * 1_000_000n), 0);
    await assert.rejects(storage.stat('data/other'), { code: 'storage-not-found' });
  });

  test(`on ${name} refusals tell what they mean`, { skip }, async () => {
    await using server = await start();
    const [bucket, missing] = [`s3:${server.endpoint}/bucket`, `s3:${server.endpoint}/missing`];
    const { owner: environment } = server;
    await using storage = await openStorage(bucket, { create: true, environment });
    await storage.put('config', [Buffer.from('x')]);
    await using gone = await openStorage(missing, { environment });
    const code = 'storage-missing';
    await assert.rejects(gone.get('config'), { code });
    await assert.rejects(gone.stat('config'), { code });
    await assert.rejects(gone.put('config', []), { code });
    await assert.rejects(Array.fromAsync(gone.list('')), { code });
    const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong' };
    await using stranger = await openStorage(bucket, { environment: wrong });
    await assert.rejects(stranger.get('config'), (error) => {
      return hasCode(error, 'storage-denied') && !error.message.includes('wrong');
    });
    await using nobody = await openStorage(bucket, {
      environment: {},
      options: new Map([['s3.unsafe-anonymous-auth', 'true']]),
    });
    await assert.rejects(nobody.get('config'), { code: 'storage-denied' });
  });
}

test('backup, restore and check through the command line on S3, which restic reads and writes', { skip }, async () => {
  await using server = await versitygw();
  await using dir = await tempDir();
  const at = { repository: `s3:${server.endpoint}/bucket/shop`, password: 'secret' };
  const options = { env: server.owner, cwd: dir.path };
  assert.equal((await runHoldfast(at, ['snapshots'], options)).code, 10);
  await holdfastOk(at, ['init'], options);
  await writeFile(dir.file('ours'), 'kept by Holdfast');
  await holdfastOk(at, ['backup', 'ours'], options);
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data'], options), /no errors were found/);
  await writeFile(dir.file('theirs'), 'kept by restic');
  await resticOk('0.19.1', at, ['backup', 'theirs'], options);
  await holdfastOk(at, ['check', '--read-data'], options);
  await holdfastOk(at, ['restore', 'latest', '--path', dir.file('theirs'), '--target', dir.file('out')], options);
  assert.equal(await readFile(dir.file('out', 'theirs'), 'utf8'), 'kept by restic');
  await resticOk('0.19.1', at, ['restore', 'latest', '--path', dir.file('ours'), '--target', dir.file('out')], options);
  assert.equal(await readFile(dir.file('out', 'ours'), 'utf8'), 'kept by Holdfast');
  await holdfastOk(at, ['forget', '--keep-last', '1', '--prune', '--group-by', ''], options);
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data'], options), /no errors were found/);
});

test('what was removed is opened as of an earlier time, to read only', { skip }, async () => {
  await using server = await versitygw();
  await using dir = await tempDir();
  const locking = { environment: server.owner, options: new Map([['s3.lock', '1h']]) };
  const at = await cheapRepositoryAt(`s3:${server.endpoint}/bucket`, locking);
  const options = { env: server.owner, cwd: dir.path };
  const lock = ['-o', 's3.lock=1h'];
  await writeFile(dir.file('ours'), 'kept by Holdfast');
  await servedOk(at, ['backup', 'ours', ...lock], options);
  const time = new Date();
  while (Date.now() < time.getTime() + 1100) await systemClock.sleep(50);
  await servedOk(at, ['forget', 'latest', '--prune', ...lock], options);
  assert.deepEqual(JSON.parse(await servedOk(at, ['snapshots', '--json'], options)), []);
  const asOf = ['--as-of', time.toISOString()];
  await servedOk(at, ['check', '--read-data', ...asOf], options);
  await servedOk(at, ['restore', 'latest', '--target', dir.file('out'), ...asOf], options);
  assert.equal(await readFile(dir.file('out', 'ours'), 'utf8'), 'kept by Holdfast');
  const refused = await servedHoldfast(at, ['backup', 'ours', ...asOf], options);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /earlier time/);
});

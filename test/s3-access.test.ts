import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { openStorage } from '../src/storage/open.ts';
import { policiesFor } from '../src/storage/policy.ts';
import { withoutGo } from './servers/go-program.ts';
import { versitygw } from './servers/versitygw.ts';
import { certificate, withoutOpenssl } from './support/certificate.ts';
import { servedOk, holdfastProgram, servedHoldfast } from './support/holdfast.ts';
import { runProgram, type RunResult } from './support/run-program.ts';
import { usersOf } from './support/s3-users.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const skip = withoutGo();

test(
  'on S3 a certificate is believed when it is named or nobody asks, and never else',
  { skip: skip || withoutOpenssl },
  async () => {
    await using server = await versitygw();
    await using dir = await tempDir();
    const { cert, key } = await certificate(dir);
    const front = createServer({ cert: await readFile(cert), key: await readFile(key) }, (socket) => {
      const behind = connect(server.running.port, '127.0.0.1');
      socket.pipe(behind).pipe(socket);
      for (const [one, other] of [
        [socket, behind],
        [behind, socket],
      ] as const)
        one.on('error', () => other.destroy());
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    try {
      const address = front.address();
      assert.ok(typeof address === 'object' && address);
      const plain = { environment: server.owner };
      await using made = await openStorage(`s3:${server.endpoint}/bucket`, { ...plain, create: true });
      await made.put('config', [Buffer.from('x')]);
      const url = `s3:https://127.0.0.1:${address.port}/bucket`;
      for (const tls of [
        { caFiles: [cert], insecure: false },
        { caFiles: [], insecure: true },
      ]) {
        await using storage = await openStorage(url, { ...plain, tls });
        assert.equal((await storage.stat('config')).sizeBytes, 1);
      }
      await using doubted = await openStorage(url, { ...plain, tls: { caFiles: [], insecure: false } });
      await assert.rejects(doubted.stat('config'), { code: 'storage-denied', message: /certificate/i });
    } finally {
      front.close();
    }
  },
);

test('a writer removes no snapshot; with the credentials for removals beside its own it does', { skip }, async () => {
  await using server = await versitygw();
  await using dir = await tempDir();
  const locking = { environment: server.owner, options: new Map([['s3.lock', '1h']]) };
  const at = await cheapRepositoryAt(`s3:${server.endpoint}/bucket`, locking);
  const { writer, pruner } = await usersOf(server, 'bucket', policiesFor(at.repository));
  await writeFile(dir.file('file'), 'kept');
  await servedOk(at, ['backup', 'file'], { env: writer, cwd: dir.path });
  const refused = await servedHoldfast(at, ['forget', 'latest'], { env: writer });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /AccessDenied/);
  const both = {
    ...writer,
    HOLDFAST_DELETE_ACCESS_KEY_ID: pruner['AWS_ACCESS_KEY_ID'],
    HOLDFAST_DELETE_SECRET_ACCESS_KEY: pruner['AWS_SECRET_ACCESS_KEY'],
  };
  await servedOk(at, ['forget', 'latest'], { env: both });
  assert.deepEqual(JSON.parse(await servedOk(at, ['snapshots', '--json'], { env: writer })), []);
});

test('a policy names who writes and who removes: each is asked for its own work alone', { skip }, async () => {
  await using server = await versitygw();
  await using dir = await tempDir();
  const repository = `s3:${server.endpoint}/bucket/team`;
  await servedOk({ repository, password: 'secret' }, ['init', '-o', 's3.lock=1h'], { env: server.owner });
  const { writer, pruner } = await usersOf(server, 'bucket', policiesFor(repository));
  const keys = (name: string): string => `{ key-id: { env: ${name}_ID }, secret-key: { env: ${name}_KEY } }`;
  const policy = (more: string): string => `version: 1
repositories: { bucket: { url: "${repository}", password: { env: TEAM_PASSWORD }, credentials: ${keys('WRITER')}${more} } }
components:
  files: { files: { paths: [${dir.file('data')}] }, backups: { hourly: { every: 1h, to: { bucket: { keep: { last: 1 } } } } } }
`;
  await writeFile(dir.file('data'), 'kept');
  await writeFile(dir.file('writer.yaml'), policy(''));
  await writeFile(dir.file('both.yaml'), policy(`, delete-credentials: ${keys('PRUNER')}`));
  const env = {
    ...Object.fromEntries(Object.keys(server.owner).map((name) => [name, undefined])),
    RESTIC_REPOSITORY: undefined,
    TEAM_PASSWORD: 'secret',
    WRITER_ID: writer['AWS_ACCESS_KEY_ID'],
    WRITER_KEY: writer['AWS_SECRET_ACCESS_KEY'],
    PRUNER_ID: pruner['AWS_ACCESS_KEY_ID'],
    PRUNER_KEY: pruner['AWS_SECRET_ACCESS_KEY'],
  };
  const run = async (file: string, ...args: readonly string[]): Promise<RunResult> => {
    const all = ['--no-cache', '--state-dir', dir.file('state'), '--config', dir.file(file), ...args];
    return await runProgram(holdfastProgram, all, { env });
  };
  for (const text of ['one', 'two']) {
    await writeFile(dir.file('data'), text);
    const { code, stderr } = await run('writer.yaml', 'backup', 'files');
    assert.equal(code, 0, stderr);
  }
  assert.equal((await run('writer.yaml', 'forget', 'files')).code, 3);
  const { code, stderr } = await run('both.yaml', 'forget', 'files');
  assert.equal(code, 0, stderr);
  const { stdout } = await run('writer.yaml', 'snapshots', '--json');
  assert.equal((JSON.parse(stdout.toString()) as readonly unknown[]).length, 1);
});

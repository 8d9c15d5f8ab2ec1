import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openStorage } from '../src/storage/open.ts';
import type { StorageSettings } from '../src/storage/settings.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { startSshd, withoutSshd } from './servers/sshd.ts';
import { versitygw } from './servers/versitygw.ts';
import { servedOk, holdfastProgram, type RepositoryAt } from './support/holdfast.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository, cheapRepositoryAt } from './support/two-tools.ts';

/** Repositories of a real server, and what both tools need to get there. */
interface Elsewhere extends AsyncDisposable {
  readonly address: (name: string) => string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly settings: StorageSettings;
}

const kinds: readonly {
  readonly name: string;
  readonly skip: string | false;
  readonly start: () => Promise<Elsewhere>;
}[] = [
  { name: 'S3', skip: withoutRestic('0.19.1'), start: onS3 },
  { name: 'SFTP', skip: withoutRestic('0.19.1') || withoutSshd(), start: overSftp },
  { name: 'REST', skip: withoutRestic('0.19.1') || withoutRestServer(), start: overRest },
];

async function onS3(): Promise<Elsewhere> {
  const server = await versitygw();
  const { owner: env } = server;
  return {
    ...atServer(server, { settings: { environment: env }, env }),
    address: (name) => `s3:${server.endpoint}/${name}`,
  };
}

async function overSftp(): Promise<Elsewhere> {
  const server = await startSshd();
  const settings = { options: new Map([['sftp.args', server.args]]) };
  return { ...atServer(server, { settings, args: ['-o', `sftp.args=${server.args}`] }), address: server.address };
}

async function overRest(): Promise<Elsewhere> {
  const server = await startRestServer();
  return { ...atServer(server, {}), address: (name) => `rest:http://127.0.0.1:${server.port}/${name}/` };
}

function atServer(server: AsyncDisposable, parts: Partial<Elsewhere>): Omit<Elsewhere, 'address'> {
  const dispose = async (): Promise<void> => server[Symbol.asyncDispose]();
  return { env: {}, args: [], settings: {}, ...parts, [Symbol.asyncDispose]: dispose };
}

/** An empty repository there, with a key that costs next to nothing. */
async function made({ address, settings }: Elsewhere, name: string): Promise<RepositoryAt> {
  return await cheapRepositoryAt(address(name), settings);
}

function fromOf({ repository, password }: RepositoryAt): Readonly<Record<string, string>> {
  return { RESTIC_FROM_REPOSITORY: repository, RESTIC_FROM_PASSWORD: password };
}

/** A local repository of a folder with so many random bytes, and text. */
async function sourceIn(dir: TempDir, bytes: number): Promise<RepositoryAt> {
  const source = await cheapRepository(dir.file('source'));
  await writeFile(dir.file('random'), randomBytes(bytes));
  await writeFile(dir.file('text'), 'text '.repeat(400_000));
  await servedOk(source, ['backup', 'random', 'text'], { cwd: dir.path });
  return source;
}

async function blobsOf(at: RepositoryAt, args: readonly string[] = [], env = {}): Promise<readonly string[]> {
  return (await servedOk(at, [...args, 'list', 'blobs'], { env })).trim().split('\n').toSorted();
}

for (const { name, skip, start } of kinds) {
  const options = { skip, timeout: 300_000 };

  test(`on ${name} snapshots are copied in and out again, restic finds each and reads all`, options, async () => {
    await using dir = await tempDir();
    await using elsewhere = await start();
    const { args, env } = elsewhere;
    const source = await sourceIn(dir, 3_000_000);
    const there = await made(elsewhere, 'there');
    const back = await cheapRepository(dir.file('back'));
    const wanted = await blobsOf(source);
    await servedOk(there, [...args, 'copy'], { env: { ...env, ...fromOf(source) } });
    await resticOk('0.19.1', there, [...args, 'copy'], { env: { ...env, ...fromOf(source) } });
    assert.match(await resticOk('0.19.1', there, [...args, 'check', '--read-data'], { env }), /no errors were found/);
    assert.deepEqual(await blobsOf(there, args, env), wanted, 'the same blobs, each once');
    await servedOk(back, [...args, 'copy'], { env: { ...env, ...fromOf(there) } });
    await resticOk('0.19.1', back, [...args, 'copy'], { env: { ...env, ...fromOf(there) } });
    assert.match(await resticOk('0.19.1', back, ['check', '--read-data']), /no errors were found/);
    assert.deepEqual(await blobsOf(back), wanted);
    for (const at of [there, back]) {
      const snapshots: unknown = JSON.parse(await servedOk(at, [...args, 'snapshots', '--json'], { env }));
      assert.ok(Array.isArray(snapshots));
      assert.equal(snapshots.length, 1);
    }
  });

  test(`on ${name} a copy that was killed is run again, and what it left does no harm`, options, async () => {
    await using dir = await tempDir();
    await using elsewhere = await start();
    const { args, env } = elsewhere;
    const source = await sourceIn(dir, 24_000_000);
    const there = await made(elsewhere, 'there');
    await killedInTheMidst(there, source, elsewhere);
    assert.deepEqual(JSON.parse(await servedOk(there, [...args, 'snapshots', '--json'], { env })), []);
    await servedOk(there, [...args, 'copy'], { env: { ...env, ...fromOf(source) } });
    assert.deepEqual(await blobsOf(there, args, env), await blobsOf(source));
    await servedOk(there, [...args, 'unlock'], { env });
    await resticOk('0.19.1', there, [...args, 'check', '--read-data'], { env });
  });
}

/** Once its first pack is there, and long before the last: it may send 2 MiB a second. */
async function killedInTheMidst(there: RepositoryAt, source: RepositoryAt, elsewhere: Elsewhere): Promise<void> {
  const { args, env, settings } = elsewhere;
  const slowly = ['--no-cache', ...args, 'copy', '--pack-size', '4', '--limit-upload', '2048'];
  const own = { RESTIC_REPOSITORY: there.repository, RESTIC_PASSWORD: there.password };
  const child = spawn(holdfastProgram, slowly, {
    env: { ...process.env, ...env, ...own, ...fromOf(source) },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await using storage = await openStorage(there.repository, settings);
  while (child.exitCode === null && (await Array.fromAsync(storage.list('data/'))).length === 0)
    await systemClock.sleep(20);
  child.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL']);
}

test(
  'what a source on S3 held at an earlier time is copied by --as-of into a target that is younger',
  { skip: withoutRestic('0.19.1'), timeout: 120_000 },
  async () => {
    await using dir = await tempDir();
    await using server = await versitygw();
    const source = { repository: `s3:${server.endpoint}/source`, password: 'secret' };
    const target = { repository: `s3:${server.endpoint}/target`, password: 'other' };
    const [env, cwd] = [server.owner, dir.path];
    const lock = ['-o', 's3.lock=1h'];
    await writeFile(dir.file('ours'), 'removed since');
    await servedOk(source, ['init', ...lock], { env });
    await servedOk(source, ['backup', 'ours', ...lock], { env, cwd });
    const time = new Date();
    while (Date.now() < time.getTime() + 1100) await systemClock.sleep(50);
    await servedOk(source, ['forget', 'latest', '--prune', ...lock], { env });
    const asOf = ['--as-of', time.toISOString()];
    const both = { env: { ...env, ...fromOf(source) } };
    await servedOk(target, ['init', '--copy-chunker-params', '--from-repo', source.repository, ...asOf], both);
    await servedOk(target, ['copy'], both);
    assert.deepEqual(JSON.parse(await servedOk(target, ['snapshots', '--json'], { env })), [], 'it is gone by now');
    await servedOk(target, ['copy', ...asOf], both);
    await resticOk('0.19.1', target, ['restore', 'latest', '--target', dir.file('out')], { env });
    assert.equal(await readFile(dir.file('out', 'ours'), 'utf8'), 'removed since');
  },
);

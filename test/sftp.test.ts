import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { damage, work } from '../scripts/first-backup/changes.ts';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { makeOriginals } from '../scripts/first-backup/originals.ts';
import { systemClock } from '../src/clock/clock.ts';
import type { Event } from '../src/events/events.ts';
import { openStorage } from '../src/storage/open.ts';
import { RetryingStorage, retryPolicy } from '../src/storage/retry.ts';
import type { StorageSettings } from '../src/storage/settings.ts';
import type { Storage } from '../src/storage/storage.ts';
import { absent } from './absences.ts';
import { budget } from './budget.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { sftpServer, startSshd, withoutSshd, type Sshd } from './servers/sshd.ts';
import { filesBelow } from './support/files-below.ts';
import { proveConforms, needsStaging } from './support/conformance.ts';
import { holdfastOk, runHoldfast } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutSshd();
const bytes = Buffer.from('some bytes');

function settingsOf({ args }: Sshd): StorageSettings {
  return { options: new Map([['sftp.args', args]]) };
}

/** A storage at a folder of this machine, through a program in place of ssh. */
async function through(command: string, folder: string, settings: StorageSettings = {}): Promise<Storage> {
  return await openStorage(`sftp:host:${folder}`, { ...settings, options: new Map([['sftp.command', command]]) });
}

test('OpenSSH keeps the contract', { skip, timeout: 120_000 }, async (context) => {
  await using server = await startSshd();
  await using storage = await openStorage(server.address('tried'), { ...settingsOf(server), create: true });
  await proveConforms(context, 'SFTP (OpenSSH)', storage, [needsStaging]);
  assert.ok(storage.capabilities.conditionalCreate);
  assert.deepEqual(
    readdirSync(join(server.folder, 'tried'), { recursive: true, withFileTypes: true }).filter((one) => one.isFile()),
    [],
  );
});

test('a folder that is not there is a missing storage; who can’t log in is told what ssh says', { skip }, async () => {
  await using server = await startSshd();
  const settings = settingsOf(server);
  await assert.rejects(openStorage(server.address('none'), settings), { code: 'storage-missing' });
  const at = { repository: server.address('none'), password: 'secret' };
  assert.equal((await runHoldfast(at, ['-o', `sftp.args=${server.args}`, 'snapshots'])).code, 10);
  const options = new Map([['sftp.args', server.args.replace(/-i \S+/, '-i /nowhere')]]);
  await assert.rejects(openStorage(server.address('none'), { options }), {
    code: 'storage-denied',
    message: /Permission denied \(publickey\)/,
  });
});

test('a folder that goes away while it is open is a missing storage, and is not made again', { skip }, async () => {
  await using dir = await tempDir();
  await using storage = await through(await sftpServer(), dir.file('data'), { create: true });
  await storage.put('data/ab/one', [bytes]);
  rmSync(dir.file('data'), { recursive: true });
  await assert.rejects(storage.get('data/ab/one'), { code: 'storage-missing' });
  await assert.rejects(storage.put('data/ab/two', [bytes]), { code: 'storage-missing' });
  await assert.rejects(Array.fromAsync(storage.list('')), { code: 'storage-missing' });
  assert.deepEqual(readdirSync(dir.path), []);
});

test('a server that only reads refuses to write', { skip }, async () => {
  await using dir = await tempDir();
  await using storage = await through(`${await sftpServer()} -R`, dir.path);
  for (const writing of [storage.put('a', [bytes]), storage.put('a', [bytes], { ifAbsent: true })])
    await assert.rejects(writing, { code: 'storage-denied' });
  assert.deepEqual(readdirSync(dir.path), []);
});

const mayMount = process.getuid?.() === 0 && process.platform === 'linux' ? false : absent('root');

test('a full disk is said so and leaves nothing', { skip: skip || mayMount }, async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('disk'));
  const mount = `mount -t tmpfs -o size=4m tmpfs ${dir.file('disk')}`;
  const command = `unshare --mount sh -c '${mount} && exec ${await sftpServer()}'`;
  await using storage = await through(command, dir.file('disk'));
  await storage.put('data/ab/kept', [bytes]);
  await assert.rejects(storage.put('data/ab/large', [new Uint8Array(8 * 1024 * 1024)]), { code: 'storage-full' });
  await storage.put('data/ab/small', [new Uint8Array(1024 * 1024)]);
  const found = await Array.fromAsync(storage.list(''), ({ key }) => key);
  assert.deepEqual(found.toSorted(), ['data/ab/kept', 'data/ab/small']);
});

test(
  'a server that vanishes in the midst of a put leaves nothing to see, and the next call connects anew',
  { skip },
  async () => {
    await using dir = await tempDir();
    const command = `sh -c 'echo $$ > ${dir.file('pid')}; exec ${await sftpServer()}'`;
    const limits = { uploadBytesPerSecond: 1024 * 1024 };
    await using storage = await through(command, dir.file('data'), { create: true, limits });
    const putting = storage.put('data/ab/large', [new Uint8Array(20 * 1024 * 1024)]);
    const folder = dir.file('data/data/ab');
    const refused = assert.rejects(putting, { code: 'storage-failed', message: /killed by SIGKILL|137/ });
    while (!filesBelow(dir.file('data')).some((path) => path.includes('~'))) {
      await new Promise(setImmediate);
    }
    process.kill(Number(await readFile(dir.file('pid'), 'utf8')), 'SIGKILL');
    await refused;
    assert.deepEqual(await Array.fromAsync(storage.list('')), []);
    await storage.put('data/ab/next', [bytes]);
    assert.deepEqual(await storage.get('data/ab/next'), bytes);
    const [left = ''] = readdirSync(folder).filter((name) => name.startsWith('~holdfast-'));
    utimesSync(join(folder, left), 1, 1);
    assert.equal(await storage.removeLeftovers?.(2_000_000_000n), 1);
    assert.deepEqual(readdirSync(folder), ['next']);
    await storage.put('run/deep/gone', [bytes]);
    await storage.remove('run/deep/gone');
    writeFileSync(dir.file('data/run/deep/~holdfast-left'), 'x');
    assert.equal(await storage.removeLeftovers?.(systemClock.nowNs() * 2n, { below: 'run/' }), 1);
    assert.equal(await storage.removeLeftovers?.(systemClock.nowNs() * 2n, { below: 'data/' }), 0);
    assert.deepEqual(readdirSync(dir.file('data')), ['data']);
  },
);

test('a storage that can’t be shown as it was leaves no connection behind', { skip }, async () => {
  await using dir = await tempDir();
  const command = `sh -c 'echo $$ > ${dir.file('pid')}; exec ${await sftpServer()}'`;
  const opening = through(command, dir.file('data'), { create: true, asOf: 1n });
  await assert.rejects(opening, { code: 'unsupported' });
  const pid = Number(await readFile(dir.file('pid'), 'utf8'));
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test(
  'a server that stands still is given up in bounded time, and the next attempt connects anew',
  { skip },
  async () => {
    await using dir = await tempDir();
    const command = `sh -c 'echo $$ > ${dir.file('pid')}; exec ${await sftpServer()}'`;
    const inner = await through(command, dir.file('data'), { create: true });
    const policy = { ...retryPolicy({ timeoutMs: 500 }), baseMs: 10 };
    const events: Event[] = [];
    const listener = (event: Event): void => void events.push(event);
    await using storage = new RetryingStorage(inner, { clock: systemClock, listener, policy });
    await storage.put('a', [bytes]);
    process.kill(Number(await readFile(dir.file('pid'), 'utf8')), 'SIGSTOP');
    assert.deepEqual((await storage.stat('a')).sizeBytes, bytes.length);
    assert.match(JSON.stringify(events), /did not answer in time/);
  },
);

test('files are their owner’s alone, or the group’s too where config is', { skip }, async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('config'), 'x', { mode: 0o640 });
  for (const [file, folder] of [
    ['100440', '40770'],
    ['100400', '40700'],
  ]) {
    await using storage = await through(await sftpServer(), dir.path);
    await storage.put('locks/one', [bytes]);
    const modeOf = (name: string): string => statSync(dir.file(name)).mode.toString(8);
    assert.deepEqual([modeOf('locks/one'), modeOf('locks')], [file, folder]);
    rmSync(dir.file('locks'), { recursive: true });
    chmodSync(dir.file('config'), 0o600);
  }
});

test(
  'Holdfast and restic work on one repository over SFTP',
  { skip: skip || withoutRestic('0.19.1'), timeout: 300_000 },
  async () => {
    await using server = await startSshd();
    await using dir = await tempDir();
    const at = { repository: server.address('team'), password: 'two tools' };
    const ssh = ['-o', `sftp.args=${server.args}`];
    const originals = dir.file('originals');
    makeOriginals(originals, budget.originalsShare);
    await holdfastOk(at, [...ssh, 'init']);
    await holdfastOk(at, [...ssh, 'backup', originals]);
    work(originals);
    const wanted = inventoryOf(originals);
    await resticOk('0.19.1', at, [...ssh, 'backup', originals]);
    assert.match(await resticOk('0.19.1', at, [...ssh, 'check', '--read-data']), /no errors were found/);
    damage(originals);
    await holdfastOk(at, [...ssh, 'check', '--read-data']);
    await holdfastOk(at, [...ssh, 'restore', 'latest', '--target', dir.file('restored')]);
    assert.deepEqual(differences(wanted, inventoryOf(join(dir.file('restored'), originals))), []);
    await holdfastOk(at, [...ssh, 'forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    assert.match(await resticOk('0.19.1', at, [...ssh, 'check', '--read-data']), /no errors were found/);
  },
);

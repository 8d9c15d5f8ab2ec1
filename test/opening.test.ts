import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock, type Clock } from '../src/clock/clock.ts';
import { openPatiently } from '../src/storage/opening.ts';
import type { Storage } from '../src/storage/storage.ts';
import { cuttingProxy } from './servers/proxy.ts';
import { rcloneProgram, withoutRclone } from './servers/rclone.ts';
import { freePort } from './servers/free-port.ts';
import { startSshd, withoutSshd } from './servers/sshd.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutSshd();
const timeout = 300_000;

interface Opening {
  readonly storage: Promise<Storage>;
  /** Between the attempts. */
  readonly pauses: readonly number[];
}

/** Opens; pauses take no time. */
function opening(url: string, options: Readonly<Record<string, string>>): Opening {
  const pauses: number[] = [];
  const clock: Clock = { ...systemClock, sleep: async (ms) => void pauses.push(ms) };
  const settings = { options: new Map(Object.entries(options)), create: true } as const;
  return { pauses, storage: openPatiently(url, settings, { clock, listener: () => undefined }) };
}

test('an SSH server that cuts the first connections is tried again', { skip, timeout }, async () => {
  await using server = await startSshd();
  let connections = 0;
  await using proxy = await cuttingProxy(server.port, () => (++connections <= 2 ? 500 * connections : Infinity));
  const args = server.args.replace(/-p \d+/, `-p ${proxy.port} -o HostKeyAlias=[127.0.0.1]:${server.port}`);
  const { storage, pauses } = opening(server.address('team'), { 'sftp.args': args });
  await using _storage = await storage;
  assert.equal(pauses.length, 2);
  assert.ok(
    pauses.every((ms) => ms >= 250 && ms <= 1000),
    pauses.join(),
  );
});

test('nobody who listens is tried again, and given up after some seconds', { skip, timeout }, async () => {
  await using server = await startSshd();
  const args = server.args.replace(/-p \d+/, `-p ${await freePort()}`);
  const { storage, pauses } = opening(server.address('team'), { 'sftp.args': args });
  await assert.rejects(storage, { code: 'storage-failed', message: /Connection refused/ });
  assert.equal(pauses.length, 5);
  assert.ok(pauses.reduce((sum, ms) => sum + ms, 0) <= 20_000, pauses.join());
});

for (const [refusal, changed, words] of [
  ['a login that is refused', { from: /-i \S+/, to: '-i /nowhere' }, /Permission denied/],
  ['an option that ssh does not know', { from: / -p /, to: ' -o NoSuchOption=yes -p ' }, /Bad configuration option/i],
] as const) {
  test(`${refusal} is not tried again`, { skip, timeout }, async () => {
    await using server = await startSshd();
    const args = server.args.replace(changed.from, changed.to);
    const { storage, pauses } = opening(server.address('team'), { 'sftp.args': args });
    await assert.rejects(storage, { code: 'storage-denied', message: words });
    assert.deepEqual(pauses, []);
  });
}

test('an rclone that ends before it serves is tried again', { skip: withoutRclone(), timeout }, async () => {
  await using dir = await tempDir();
  const first = `if mkdir ${dir.file('tried')} 2>/dev/null; then echo 'connection reset by peer' >&2; exit 1; fi`;
  writeFileSync(dir.file('flaky'), `${first}\nexec ${await rcloneProgram()} --config /dev/null "$@"\n`);
  const program = `sh ${dir.file('flaky')}`;
  const { storage, pauses } = opening(`rclone::local:${dir.file('data')}`, { 'rclone.program': program });
  await using _storage = await storage;
  assert.equal(pauses.length, 1);
  assert.ok(readdirSync(dir.file('data')).includes('keys'));
});

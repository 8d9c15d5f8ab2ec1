import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { currentUser, hostName, processIsAlive } from '../src/host/users.ts';
import { createRepository } from '../src/repository/create.ts';
import { listLocks, lockRepository, removeStaleLocks, type RepositoryLock } from '../src/repository/lock.ts';
import type { Repository } from '../src/repository/repository.ts';
import { openLocal } from '../src/storage/local.ts';
import { restic, resticOk, runRestic, withoutRestic, type ResticRepository } from './servers/restic.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { testKey, testPassword } from './support/repository.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

const clock = systemClock;
const signal = new AbortController().signal;
const staleness = { clock, hostname: hostName(), isAlive: processIsAlive };

async function newRepository(
  dir: TempDir,
): Promise<{ readonly repository: Repository; readonly at: ResticRepository }> {
  const at = { repository: dir.file('repository'), password: testPassword };
  const storage = await openLocal(at.repository, { create: true });
  return { repository: await createRepository({ storage, clock, key: testKey, version: 2 }), at };
}

async function take(repository: Repository, mode: 'shared' | 'exclusive', pid = process.pid): Promise<RepositoryLock> {
  const { name, uid, gid } = currentUser();
  const holder = { hostname: hostName(), username: name, uid, gid, pid };
  return lockRepository(repository, { mode, holder, clock, retryMs: 0, signal, listener: silent });
}

const skip = withoutRestic('0.19.1');

/** A backup of standard input, which goes on until that is closed; resolves once it holds its lock. */
async function backupUnderWay(program: string, repository: Repository, at: ResticRepository): Promise<ChildProcess> {
  const env = { ...process.env, RESTIC_REPOSITORY: at.repository, RESTIC_PASSWORD: at.password };
  const child = spawn(program, ['--no-cache', 'backup', '--stdin'], { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const deadlineMs = clock.monotonicMs() + 300_000;
  while ((await listLocks(repository)).length === 0) {
    assert.ok(clock.monotonicMs() < deadlineMs && child.exitCode === null, `${program} took no lock`);
    await clock.sleep(50);
  }
  return child;
}

test('restic honours our locks: a shared one lets it back up, an exclusive one nothing', { skip }, async () => {
  await using dir = await tempDir();
  const { repository, at } = await newRepository(dir);
  {
    await using _shared = await take(repository, 'shared');
    await resticOk('0.19.1', at, ['backup', '-q', import.meta.filename]);
    assert.equal((await runRestic('0.19.1', at, ['check'])).code, 11);
  }
  {
    await using _exclusive = await take(repository, 'exclusive');
    const { code, stderr } = await runRestic('0.19.1', at, ['backup', import.meta.filename]);
    assert.equal(code, 11);
    assert.match(stderr, new RegExp(`PID ${process.pid} on ${hostName()}`));
  }
  await resticOk('0.19.1', at, ['check']);
});

test("we honour restic's locks, and clear them as it does when their process is dead", { skip }, async () => {
  await using dir = await tempDir();
  const { repository, at } = await newRepository(dir);
  const child = await backupUnderWay(await restic('0.19.1'), repository, at);
  const ended = once(child, 'exit');
  const [lock] = await listLocks(repository);
  assert.deepEqual([lock?.pid, lock?.hostname, lock?.exclusive], [child.pid, hostName(), false]);
  await assert.rejects(take(repository, 'exclusive'), { code: 'locked', message: new RegExp(`process ${child.pid} `) });
  await (await take(repository, 'shared'))[Symbol.asyncDispose]();
  assert.equal(await removeStaleLocks(repository, staleness), 0);
  child.kill('SIGKILL');
  await ended;
  await assert.rejects(take(repository, 'exclusive'), { code: 'locked' });
  assert.equal(await removeStaleLocks(repository, staleness), 1);
  await (await take(repository, 'exclusive'))[Symbol.asyncDispose]();
});

test('restic unlock clears what a dead process of ours left, and nothing of one that lives', { skip }, async () => {
  await using dir = await tempDir();
  const { repository, at } = await newRepository(dir);
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  await using _living = await take(repository, 'shared');
  await using _abandoned = await take(repository, 'shared', dead.pid);
  assert.equal((await listLocks(repository)).length, 2);
  await resticOk('0.19.1', at, ['unlock']);
  assert.deepEqual(
    (await listLocks(repository)).map(({ pid }) => pid),
    [process.pid],
  );
});

test('a backup outlives that restic unlock asks for it, and ends well', { skip }, async () => {
  await using dir = await tempDir();
  const { repository, at } = await newRepository(dir);
  const child = await backupUnderWay(holdfastProgram, repository, at);
  const ended = once(child, 'exit');
  await resticOk('0.19.1', at, ['unlock']);
  assert.equal((await listLocks(repository)).length, 1);
  child.stdin?.end('what came in');
  assert.deepEqual(await ended, [0, null]);
  assert.equal((await Array.fromAsync(repository.list('snapshots'))).length, 1);
});

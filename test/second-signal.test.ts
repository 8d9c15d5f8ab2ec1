import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { scene } from './support/scene.ts';

async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 300_000;
  while (!isSo()) {
    assert.ok(systemClock.monotonicMs() < deadlineMs, `not within five minutes: ${what}`);
    await systemClock.sleep(20);
  }
}

/** An orderly end removes the lock; where the storage is in the way, that is tried for a quarter of an hour. */
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  test(`after a first ${name} a command ends in order, after a second one at once`, { timeout: 900_000 }, async () => {
    await using on = await scene();
    const locks = `${on.at.repository}/locks`;
    const env = { ...process.env, RESTIC_REPOSITORY: on.at.repository, RESTIC_PASSWORD: on.at.password };
    const args = ['--no-cache', 'backup', '--stdin'];
    const child = spawn(holdfastProgram, args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const closed = once(child, 'close');
    try {
      await until('it holds a lock', () => existsSync(locks) && readdirSync(locks).length > 0);
      renameSync(locks, `${locks}-away`);
      symlinkSync('locks', locks);
      child.kill(name);
      await until('it tries to remove its lock', () => said.includes('trying again'));
      assert.equal(child.exitCode, null);
      const startMs = systemClock.monotonicMs();
      child.kill(name);
      await closed;
      assert.equal(child.exitCode, 130, said);
      assert.ok(systemClock.monotonicMs() - startMs < 120_000, 'it went on after the second signal');
      assert.equal(readdirSync(`${locks}-away`).length, 1, 'the lock stays, for unlock to remove');
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
  });
}

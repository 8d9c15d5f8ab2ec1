import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { hostName } from '../src/host/users.ts';
import { openRepository } from '../src/repository/open.ts';
import { openLocal } from '../src/storage/local.ts';
import { withoutRestic } from './servers/restic.ts';
import type { RepositoryAt } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';
import { both, cheapRepository, copiesOf, expectExit, run } from './support/two-tools.ts';

interface Holder {
  readonly hostname: string;
  readonly pid: number;
  readonly ageMinutes: number;
}

/** Writes a lock as its holder would have. The name of its file. */
async function plantLock(at: RepositoryAt, { hostname, pid, ageMinutes }: Holder): Promise<string> {
  const storage = await openLocal(at.repository);
  await using repository = await openRepository({ storage, clock: systemClock, password: at.password });
  const time = Temporal.Now.instant().subtract({ minutes: ageMinutes }).toString();
  const lock = { time, exclusive: false, hostname, username: 'ann', pid, uid: 1000, gid: 1000 };
  return await repository.writeFile('locks', Buffer.from(JSON.stringify(lock)));
}

function locksOf({ repository }: RepositoryAt): readonly string[] {
  return readdirSync(join(repository, 'locks')).toSorted();
}

/** A process that lives and that no SIGHUP ends: so restic asks whether it does. */
async function living(): Promise<Disposable & { readonly pid: number }> {
  const script = 'process.on("SIGHUP", () => {}); setInterval(() => {}, 1000); console.log("ready")';
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

test(
  'unlock removes what restic unlock removes: locks of dead processes and old ones; and all when told',
  { skip: withoutRestic('0.19.1') },
  async () => {
    await using dir = await tempDir();
    const template = await cheapRepository(dir.file('template'));
    using live = await living();
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    const here = hostName();
    const [deadPid, pid] = [dead.pid ?? 0, live.pid];
    const kept = [
      await plantLock(template, { hostname: here, pid, ageMinutes: 29 }),
      await plantLock(template, { hostname: 'elsewhere', pid: deadPid, ageMinutes: 29 }),
    ];
    for (const holder of [
      { hostname: here, pid: deadPid, ageMinutes: 0 },
      { hostname: here, pid, ageMinutes: 31 },
      { hostname: 'elsewhere', pid, ageMinutes: 31 },
    ])
      await plantLock(template, holder);
    const copies = await copiesOf(template, dir.file('copy'));
    const said = await both(async (tool) => (await expectExit(0, tool, copies[tool], ['unlock'])).stdout.toString());
    assert.match(said.holdfast, /^removed 3 locks$/m);
    assert.deepEqual(locksOf(copies.restic), kept.toSorted());
    assert.deepEqual(locksOf(copies.holdfast), kept.toSorted());
    assert.equal((await run('holdfast', copies.holdfast, ['check'])).code, 11);
    await both(async (tool) => expectExit(0, tool, copies[tool], ['unlock', '--remove-all']));
    assert.deepEqual([locksOf(copies.restic), locksOf(copies.holdfast)], [[], []]);
    await expectExit(0, 'holdfast', copies.holdfast, ['check']);
  },
);

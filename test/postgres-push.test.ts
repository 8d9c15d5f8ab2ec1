import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { absent } from './absences.ts';
import { endWorker, until } from './support/archiving-scene.ts';
import { handedOver, handingOver, handOver } from './support/handing-over.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk, runProgram } from './support/run-program.ts';
import type { SpoolTrial } from './support/spool-trial.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositories } from './support/two-tools.ts';

test('a push that is killed leaves its worker at work, and the next finds the file stored; two at once both end well', async () => {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const { dataDirectory } = await handingOver(dir);
  await cheapRepositories([dir.file('near')]);
  await runOk('mkfifo', [dir.file('password')]); // whoever opens the repository waits there
  await writeFile(dir.file('url'), 'postgres://nobody@localhost/none');
  await writeFile(
    dir.file('holdfast.yaml'),
    `version: 1
repositories: { near: { url: ${dir.file('near')}, password: { file: ${dir.file('password')} } } }
components:
  shop-db:
    postgres: { url: { file: ${dir.file('url')} } }
    backups: { full: { at: "02:00", to: { near: { keep: { daily: 7 } } } } }
    log: { mode: archive, to: { near: { window: 14d } } }
`,
  );
  stack.defer(async () => await endWorker(dir));
  const args = ['--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state')];
  const words = (file: string): string[] => ['postgres', 'archive-push', 'shop-db', `pg_wal/${file}`, ...args];
  const push = async (file: string): Promise<number | null> =>
    (await runProgram(holdfastProgram, words(file), { cwd: dataDirectory })).code;
  const spool = dir.file('state/spool/shop-db/7');

  const killed = spawn(holdfastProgram, words(handedOver), { cwd: dataDirectory, stdio: 'ignore' });
  const ended = Promise.withResolvers<NodeJS.Signals | null>();
  killed.once('exit', (_code, signal) => ended.resolve(signal));
  await until('the worker is at it', async () => existsSync(`${spool}/${handedOver}.coming`));
  killed.kill('SIGKILL');
  assert.equal(await ended.promise, 'SIGKILL');
  await writeFile(dir.file('password'), 'secret');
  await until('the worker has stored it', async () => existsSync(`${spool}/${handedOver}.ok`));
  await rm(dir.file('password')); // for a worker to come, should this one end for want of work
  await writeFile(dir.file('password'), 'secret');
  assert.equal(await push(handedOver), 0);

  await handOver(dataDirectory, '00000003.history');
  assert.deepEqual(await Promise.all([push('00000003.history'), push('00000003.history')]), [0, 0]);
});

const skip = process.getuid?.() === 0 && process.platform === 'linux' ? false : absent('root');

test(
  'a state folder whose disk is full lets nothing be lost: markers and gaps need no bytes, and where no file can be made the push says so',
  { skip },
  async () => {
    const script = join(import.meta.dirname, 'support/spool-trial.ts');
    const output = await runOk('unshare', ['--mount', process.execPath, script]);
    const { noBytes, noFiles, room, stored, beyondQueue } = JSON.parse(output.toString()) as SpoolTrial;
    assert.equal(noBytes, 'no error');
    assert.match(noFiles, /^storage-full: the spool .* can't be used/);
    assert.equal(room, 'no error');
    assert.deepEqual(stored, [[2], [2], [2, 3]]);
    const { push, ...dropped } = beyondQueue;
    assert.match(push, /^storage-full: shop-db: 0{7}1\w+ is not stored, and .* has no room to say why/);
    assert.deepEqual(
      dropped,
      { withoutNames: [], gaps: [[1, 4]], workers: 1 },
      'what a place that was away lacks is known by name',
    );
  },
);

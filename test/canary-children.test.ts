import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { isFullBudget } from './budget.ts';
import { Search } from './support/canary/canaries.ts';
import { echoing } from './support/canary/echoing.ts';
import { plaintextsBelow, storedBelow } from './support/canary/places.ts';
import { treeBelow } from './support/canary/processes.ts';
import { canaries, canaryScene, type CanaryScene } from './support/canary/scene.ts';
import { filesBelow } from './support/files-below.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

const all = new Search(Object.values(canaries));
/** What commands of components were given on purpose. */
const theirs: readonly object[] = [canaries.database, canaries.address, canaries.login];
const notTheirs = new Search(Object.values(canaries).filter((canary) => !theirs.includes(canary)));

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly told: string; readonly code: number | null }>;
}

/** The real program, with secrets in its environment. */
function started({ dir, env, args }: CanaryScene, line: readonly string[]): Started {
  const child = spawn(holdfastProgram, [...args, ...line], {
    cwd: dir.path,
    env,
    timeout: 300_000,
    killSignal: 'SIGKILL',
  });
  const told: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => told.push(bytes));
  const ended = once(child, 'close').then(() => ({
    told: Buffer.concat(told).toString('latin1'),
    code: child.exitCode,
  }));
  return { child, ended };
}

/** Has a program of the scene wait until a file is there, once it has said what it was given. */
async function waiting({ dir }: CanaryScene, name: string): Promise<void> {
  const path = dir.file('bin', name);
  const [first = '', ...rest] = (await readFile(path, 'utf8')).split('\n');
  const wait = `: > ${dir.file('waits')}; while [ ! -e ${dir.file('go')} ]; do sleep 0.05; done`;
  await writeFile(path, [first, `${rest[0]?.split('; echo a dump')[0]}; ${wait}; echo a dump`, ''].join('\n'));
}

async function appears(path: string): Promise<void> {
  const lastMs = systemClock.monotonicMs() + 250_000;
  while (!filesBelow(path.slice(0, path.lastIndexOf('/'))).includes(path)) {
    assert.ok(systemClock.monotonicMs() < lastMs, `${path} does not appear`);
    await systemClock.sleep(20);
  }
}

async function assertNothingLeft({ dir, homes }: CanaryScene): Promise<void> {
  assert.deepEqual(await storedBelow(dir.path, homes, all), []);
  for (const name of ['near', 'safe'] as const)
    assert.deepEqual(await plaintextsBelow(dir.file(name), canaries[name].value, all), []);
}

test('neither ps nor the environment of a command that is run shows a secret of Holdfast’s, and none is dumped', async () => {
  await using dir = await tempDir();
  await using server = await echoing();
  const scene = await canaryScene(dir, server.endpoint);
  await waiting(scene, 'dump');
  const { child, ended } = started(scene, ['-vv', 'backup', 'dump']);
  await appears(dir.file('waits'));
  const [program, ...below] = treeBelow(child.pid ?? 0);
  assert.ok(program !== undefined && below.length > 0);
  for (const { command, environment } of below) {
    assert.deepEqual(notTheirs.in('an environment', environment), []);
    assert.deepEqual(all.in('arguments', command), []);
  }
  assert.ok(
    below.some(({ environment }) => environment.includes(canaries.database.core)),
    'a dump gets what is its own',
  );
  assert.deepEqual(all.in('arguments', program.command), []);
  assert.match(readFileSync(`/proc/${program.pid}/limits`, 'latin1'), /^Max core file size +0 /m);
  await writeFile(dir.file('go'), '');
  const { told, code } = await ended;
  assert.equal(code, 0, told);
  assert.match(told, /PGPASSWORD=\*\*\*/, 'what the dump says is told');
  assert.deepEqual(all.in('what is said', told), []);
  await assertNothingLeft(scene);
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a backup that ${signal} ends leaves no secret anywhere`, async () => {
    await using dir = await tempDir();
    await using server = await echoing();
    const scene = await canaryScene(dir, server.endpoint);
    await waiting(scene, 'dump');
    const { child, ended } = started(scene, ['--json', 'backup', 'dump']);
    await appears(dir.file('waits'));
    child.kill(signal);
    await writeFile(dir.file('go'), '');
    assert.deepEqual(all.in('what is said', (await ended).told), []);
    await assertNothingLeft(scene);
  });
}

const says = [
  ['a dump that fails', ['backup', 'broken'], /source-failed|broken failed: exit code 3/],
  ['a service around a restore in place', ['restore', 'files', '--in-place'], /./],
  ['checks in a sandbox', ['verify', 'dump'], /./],
  ['SSH', ['copy', 'remote'], /./],
] as const;

for (const [index, [what, line, expected]] of says.entries()) {
  test(`${what} may say all that it was given, and no secret is told, recorded or kept`, async () => {
    await using dir = await tempDir();
    await using server = await echoing();
    const scene = await canaryScene(dir, server.endpoint);
    if (line[1] !== 'broken') await started(scene, ['backup', line[1]]).ended;
    for (const loud of isFullBudget ? ['-vv', '--json'] : [index % 2 === 0 ? '-vv' : '--json']) {
      const { told } = await started(scene, [loud, ...line]).ended;
      assert.match(told, expected);
      assert.deepEqual(all.in(`what ${line.join(' ')} says`, told), []);
    }
    const { told } = await started(scene, ['records', '--json']).ended;
    assert.deepEqual(all.in('records', told), []);
    await assertNothingLeft(scene);
  });
}

test('a program that gives a password is handed none', async () => {
  await using dir = await tempDir();
  await using server = await echoing();
  const scene = await canaryScene(dir, server.endpoint);
  const script = `#!/bin/sh\nenv > ${dir.file('secrets/environment')}\ncat ${dir.file('secrets/far')}\n`;
  await writeFile(dir.file('bin/gives'), script);
  await chmod(dir.file('bin/gives'), 0o755);
  const policy = scene.policy.replace(/command: "cat [^"]*"/, `command: "${dir.file('bin/gives')}"`);
  await writeFile(dir.file('holdfast.yaml'), policy);
  const { code, told } = await started(scene, ['config', 'check']).ended;
  assert.equal(code, 0, told);
  assert.deepEqual(notTheirs.in('its environment', await readFile(dir.file('secrets/environment'))), []);
});

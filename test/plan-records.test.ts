import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostName } from '../src/host/users.ts';
import { storePlan } from '../src/plan/disk-journal.ts';
import { holdfastProgram, outputOf } from './support/holdfast.ts';
import { filesBelow } from './support/files-below.ts';
import { dataOf, policyScene, policyText, type PolicyScene } from './support/policy-scene.ts';
import { runProgram } from './support/run-program.ts';
import { jsonLines } from './support/scene.ts';

/** Of plans, not of their steps. */
async function outcomes({ recorded }: PolicyScene): Promise<readonly string[]> {
  const records = await recorded('restore');
  const ofPlans = records.filter(({ plan }) => plan !== undefined);
  return ofPlans.map((record) => String(dataOf(record)['outcome']));
}

test('another host sees by the records that a plan is at work, that it waits, and how it ended', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await at.ok('restore', 'uploads', '--in-place');
  await at.ok('undo');
  assert.deepEqual(await outcomes(at), ['begun', 'finished', 'begun', 'undone']);
  const waiting = policyText(at.dir, '').replace(
    '    backups:',
    '    restore: { approval: another-person }\n    backups:',
  );
  await writeFile(at.dir.file('holdfast.yaml'), waiting);
  assert.equal((await at.run(['restore', 'uploads', '--in-place'])).code, 6);
  const elsewhere = ['--state-dir', at.dir.file('another-host'), 'records', '--kind', 'restore', '--json'];
  const { stdout } = await at.run(elsewhere);
  const [begun, waits] = jsonLines(stdout.toString()).slice(-2);
  assert.equal(begun?.['plan'], waits?.['plan']);
  const { outcome, host, action } = dataOf(begun);
  assert.deepEqual({ outcome, host, action }, { outcome: 'begun', host: hostName(), action: 'execute' });
  assert.equal(dataOf(waits)['outcome'], 'waits');
});

test('plan tick says that a step was done by hand, and the plan goes on', async () => {
  await using at = await policyScene();
  const step = {
    where: hostName(),
    undo: 'no',
    timeoutMs: 10_000,
    retry: { attempts: 1, pauseMs: 0 },
    approval: 'none',
  } as const;
  const run = ['touch', at.dir.file('touched')];
  const given = { run, undo: [], running: [], wanted: 'yes' };
  const { hash } = await storePlan(join(at.dir.file('state'), 'plans'), {
    version: 1,
    title: 'uploads by hand',
    component: 'uploads',
    made: '2026-11-20T12:00:00Z',
    by: 'ann',
    steps: [
      { ...step, key: 'call', kind: 'command', arguments: given, manual: 'call the customer' },
      { ...step, key: 'touch', kind: 'command', arguments: given, manual: '' },
    ],
  });
  const waits = await at.run(['restore', 'uploads', '--in-place']);
  assert.equal(waits.code, 6);
  assert.match(waits.stderr, /holdfast plan tick [0-9a-f]{12} call/);
  const wrong = await at.run(['plan', 'tick', hash.slice(0, 12), 'touch']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /no step "touch" that is done by hand/);
  await assert.rejects(readFile(at.dir.file('touched')), { code: 'ENOENT' });
  const [signed] = jsonLines(await at.ok('plan', 'tick', hash.slice(0, 12), 'call', '--json'));
  assert.deepEqual([signed?.['message_type'], signed?.['hash'], signed?.['step']], ['plan_signed', hash, 'call']);
  await at.ok('restore', 'uploads', '--in-place');
  await readFile(at.dir.file('touched'));
  const [tick] = await at.recorded('approval');
  assert.equal(tick?.['plan'], hash);
  assert.equal(dataOf(tick)['step'], 'call');
  assert.match(await at.ok('plan', 'show', hash.slice(0, 12)), /call: [^\n]*done/);
});

/** The program, as on a day to come. */
async function later(at: PolicyScene, days: number, ...args: readonly string[]): Promise<string> {
  const env = {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'support/shifted-clock.ts')}`,
    SHIFT_CLOCK_MS: String(days * 86_400_000),
    HOLDFAST_CONFIG: undefined,
    RESTIC_REPOSITORY: undefined,
  };
  const all = ['--no-cache', '--state-dir', at.dir.file('state'), ...args];
  return outputOf(args, await runProgram(holdfastProgram, all, { cwd: at.dir.path, env }));
}

async function safetyBackups(at: PolicyScene): Promise<number> {
  const near = ['-r', at.dir.file('near'), '-p', at.dir.file('password')];
  const { stdout } = await at.run([...near, 'snapshots', '--tag', 'hf.safety=uploads', '--json']);
  const found: unknown = JSON.parse(stdout.toString());
  assert.ok(Array.isArray(found));
  return found.length;
}

/** A record of the component is stored on a day to come, by the clock of the storage. */
async function storedLater(at: PolicyScene, days: number): Promise<void> {
  const [first = ''] = filesBelow(at.dir.file('near/holdfast/records/uploads'));
  const time = new Date(Date.now() + days * 86_400_000);
  await utimes(first, time, time);
}

test('a safety backup goes 30 days after its restore was confirmed, its plan is cleared; what nobody confirmed stays', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await at.ok('restore', 'uploads', '--in-place');
  await at.ok('confirm');
  await at.ok('restore', 'uploads', '--in-place');
  assert.equal(await safetyBackups(at), 2);
  await later(at, 29, 'forget', 'uploads');
  assert.equal(await safetyBackups(at), 2);
  assert.match(await at.ok('plan', 'list'), /confirmed[^]*finished/);
  // The storage's own clock says that it is still today: this host's alone runs ahead.
  assert.doesNotMatch(await later(at, 31, 'forget', 'uploads'), /safety backup/);
  assert.match(await at.ok('plan', 'list'), /confirmed[^]*finished/);
  await storedLater(at, 31);
  assert.match(await later(at, 31, 'forget', 'uploads', '--dry-run'), /near: would remove 1 safety backup of restores/);
  assert.equal(await safetyBackups(at), 2);
  assert.match(await later(at, 31, 'forget', 'uploads'), /near: removing 1 safety backup of restores/);
  assert.equal(await safetyBackups(at), 1);
  const list = await at.ok('plan', 'list');
  assert.match(list, /finished/);
  assert.doesNotMatch(list, /confirmed/);
});

test('a command that finds no plan, or none that is open, says which of the two, and where to look', async () => {
  await using at = await policyScene();
  const refused = async (...words: readonly string[]): Promise<string> => {
    const { code, stderr } = await at.run(words);
    assert.equal(code, 2);
    return stderr;
  };
  for (const words of [['undo'], ['confirm', 'abc'], ['plan', 'show']])
    assert.match(await refused(...words), /: there is no plan on this host\n.*restore COMPONENT --in-place/);
  await at.ok('backup', 'uploads');
  await at.ok('restore', 'uploads', '--in-place');
  assert.match(await refused('undo', 'zz'), /: there is no plan "zz" on this host\n.*plan list/);
  await at.ok('undo');
  assert.match(await refused('undo'), /: no plan of this host is open\n.*plan list/);
  const [, hash = ''] = /^([0-9a-f]{12})/m.exec(await at.ok('plan', 'list')) ?? [];
  const approved = await at.run(['approve', hash]);
  assert.equal(approved.code, 1);
  const name = `plan ${hash} \\([^)]*uploads[^)]*\\)`;
  const how = 'it was undone at 20\\S+Z \\(it was turned back: undone by ';
  assert.match(approved.stderr, new RegExp(`${name} is over: ${how}`));
  const confirmed = await at.run(['confirm', hash]);
  assert.match(confirmed.stderr, new RegExp(`${name} has not succeeded: it stands at “undone”: undone by `));
});

import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { holdfastProgram } from './support/holdfast.ts';
import { policyScene } from './support/policy-scene.ts';
import { runProgram, type RunResult } from './support/run-program.ts';

test('a damaged catalogue is made anew, and one that was tampered with has no say in --verify', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  const shown = await at.ok('records', '--csv');
  const found = await readdir(at.dir.path, { recursive: true, withFileTypes: true });
  const catalogues = found
    .filter(({ name }) => name === 'records.sqlite')
    .map((one) => `${one.parentPath}/${one.name}`);
  assert.equal(catalogues.length, 2);
  for (const file of catalogues) await writeFile(file, 'not what it was\n'.repeat(500));
  assert.equal(await at.ok('records', '--csv'), shown);
  for (const file of catalogues) {
    const database = new DatabaseSync(file);
    database.exec(`UPDATE record SET facts = replace(facts, 'done', 'failed'); UPDATE chain SET hash = ''`);
    database.close();
  }
  assert.match(await at.ok('records'), /failed/);
  assert.match(await at.ok('records', '--verify'), /✔ uploads by .* in near: \d records?, intact/);
  assert.equal(await at.ok('records', '--csv', '--no-cache'), shown);
});

test('a verification that the policy wants and that never ran is named, and so is one that ran too long ago', async () => {
  await using at = await policyScene();
  const file = at.dir.file('holdfast.yaml');
  const policy = await readFile(file, 'utf8');
  await writeFile(file, policy.replace('    backups:', '    verify: [{ every: 1d, do: structure }]\n    backups:'));
  await at.ok('backup', 'uploads');
  const daysLater = async (days: number, ...more: readonly string[]): Promise<RunResult> => {
    const NODE_OPTIONS = `--import=${join(import.meta.dirname, 'support/shifted-clock.ts')}`;
    const env = { NODE_OPTIONS, SHIFT_CLOCK_MS: String(days * 86_400_000), HOLDFAST_CONFIG: undefined };
    const args = ['--config', file, '--state-dir', at.dir.file('state'), 'records', '--verify', ...more];
    return await runProgram(holdfastProgram, args, { cwd: at.dir.path, env });
  };
  assert.equal((await daysLater(1)).code, 0);
  const never = await daysLater(3);
  assert.equal(never.code, 4);
  assert.match(
    never.stdout.toString(),
    /✖ uploads: verification 1 \(structure, nearest\) was due .* \(or 12 hours later\), and is MISSED: it never ran/,
  );
  await at.ok('verify', 'uploads');
  assert.equal((await daysLater(1)).code, 0);
  const late = await daysLater(3, '--json');
  assert.equal(late.code, 4);
  assert.match(late.stdout.toString(), /"message_type":"overdue","component":"uploads","number":1,.*"last":"/);
  await rm(at.dir.file('far'), { recursive: true });
  assert.equal((await daysLater(3)).code, 5);
});

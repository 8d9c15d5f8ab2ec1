import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { clearEndedPlans, storedPlans, storePlan } from './disk-journal.ts';
import type { Entry } from './journal.ts';
import type { Plan } from './plan.ts';

const plan: Plan = {
  version: 1,
  title: 'a plan',
  component: 'shop',
  made: '2026-11-20T12:00:00Z',
  by: 'ann',
  steps: [
    {
      key: 'stop',
      kind: 'command',
      where: 'here',
      arguments: { words: ['stop', 'it'] },
      undo: 'in any case',
      timeoutMs: 1000,
      retry: { attempts: 2, pauseMs: 10 },
      approval: 'another person',
      manual: '',
    },
  ],
};

const entries: readonly Entry[] = [
  { what: 'approved', by: 'bob', timeNs: 1n },
  { what: 'began', step: 'stop', attempt: 1, timeNs: 2n },
  { what: 'failed', step: 'stop', attempt: 1, ms: 12, reason: 'no', timeNs: 3n },
];

test('a plan and its journal are found again as they were, for this user’s eyes alone', async () => {
  await using dir = await tempDir();
  const folder = dir.file('plans');
  const { journal, hash } = await storePlan(folder, plan);
  for (const entry of entries) await journal.append(entry);
  const [found, ...others] = await storedPlans(folder);
  assert.deepEqual(others, []);
  assert.deepEqual(found?.plan, plan);
  assert.deepEqual(await found.journal.entries(), entries);
  assert.equal(found.standing.steps.get('stop')?.attempts, 1);
  for (const name of ['plan.json', '000001.json', '000003.json'])
    assert.equal((await stat(`${folder}/${hash}/${name}`)).mode & 0o777, 0o600);
  assert.equal((await stat(`${folder}/${hash}`)).mode & 0o777, 0o700);
});

test('what a kill left half written is no entry, and no plan', async () => {
  await using dir = await tempDir();
  const folder = dir.file('plans');
  const { hash } = await storePlan(folder, plan);
  await writeFile(`${folder}/${hash}/000001.json.0123456789ab.tmp`, '{"what":"beg');
  await mkdir(`${folder}/0123`);
  await writeFile(`${folder}/0123/plan.json.0123456789ab.tmp`, '{');
  const [found, ...others] = await storedPlans(folder);
  assert.deepEqual(others, []);
  assert.deepEqual(await found?.journal.entries(), []);
});

test('of two that go on with one plan the second is refused', async () => {
  await using dir = await tempDir();
  await storePlan(dir.file('plans'), plan);
  const [first] = await storedPlans(dir.file('plans'));
  const [second] = await storedPlans(dir.file('plans'));
  const [entry] = entries;
  assert.ok(entry !== undefined);
  await first?.journal.append(entry);
  await assert.rejects(async () => await second?.journal.append(entry), { code: 'locked' });
});

test('a plan that was changed after its approval is not executed', async () => {
  await using dir = await tempDir();
  const { hash } = await storePlan(dir.file('plans'), plan);
  const path = dir.file(`plans/${hash}/plan.json`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"it"', '"that"'));
  await assert.rejects(storedPlans(dir.file('plans')), { code: 'damaged' });
});

test('a plan that was over long ago is cleared, and what a kill left of that; one that isn’t over stays', async () => {
  await using dir = await tempDir();
  const folder = dir.file('plans');
  const made = async (title: string, entry: Entry): Promise<string> => {
    const { journal, hash } = await storePlan(folder, { ...plan, title });
    await journal.append(entry);
    return hash;
  };
  await made('old', { what: 'confirmed', timeNs: 10n });
  const young = await made('young', { what: 'confirmed', timeNs: 20n });
  const open = await made('open', { what: 'finished', timeNs: 1n });
  await mkdir(`${folder}/leaving-${'0123'.repeat(16)}`);
  // The lock of a component of that name.
  await writeFile(`${folder}/leaving-home.lock`, '');
  await clearEndedPlans(folder, async (_plan, endedNs) => endedNs < 20n);
  const names = await readdir(folder);
  assert.deepEqual(names.toSorted(), [young, open, 'leaving-home.lock'].toSorted());
});

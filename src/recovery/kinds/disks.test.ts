import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { shopContext } from '../../../test/support/component-context.ts';
import { controlOf } from '../../../test/support/control-file.ts';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { systemClock } from '../../clock/clock.ts';
import { execute, undo } from '../../plan/execute.ts';
import type { Surroundings } from '../../plan/execution.ts';
import { hashOfPlan } from '../../plan/form.ts';
import type { Entry } from '../../plan/journal.ts';
import type { Plan } from '../../plan/plan.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import { stepKinds } from '../kinds.ts';
import { step } from '../steps.ts';
import { disksUnder } from './disks.ts';
import { writeExtent } from './half-over.ts';
import { placesOf } from './places.ts';

const stream = '7300000000000000001';

interface HalfOver {
  readonly plan: Plan;
  readonly surroundings: Surroundings;
  readonly entries: readonly Entry[];
  /** What no server starts without, as it was before. */
  readonly key: string;
}

/** A plan that was cut off while it wrote over a cluster whose disk is `disk`; to start the server makes a file, `started`. */
async function halfOver(dir: TempDir): Promise<HalfOver> {
  const [live, stateFolder] = [dir.file('disk/data'), dir.file('state')];
  const key = join(live, 'global/pg_control');
  await mkdir(join(live, 'global'), { recursive: true });
  await writeFile(key, controlOf({ systemIdentifier: BigInt(stream), timeline: 1, version: 1300 }));
  const point = 'f'.repeat(64);
  const given = { component: 'shop-db', stream, point, others: [], within: 'shop-db/data', over: 'yes', slot: 0 };
  const all = { ...given, path: live, replace: 'whole', ...disksUnder([dir.file('disk')]) };
  const around = { run: ['true'], undo: ['touch', dir.file('started')], running: [], wanted: 'no' };
  const withhold = step('withhold', 'withhold', all);
  const over = step('over', 'restore-over', all, 'impossible');
  const steps = [step('stop', 'command', around, 'in any case'), withhold, over];
  const plan: Plan = { version: 1, title: 't', component: 'shop-db', made: '2026-11-20T12:00:00Z', by: 'ann', steps };
  const kinds = stepKinds(shopContext({ storage: new MemoryStorage(), clock: systemClock, stateFolder }));
  const { signal } = new AbortController();
  const call = { step: withhold, hash: hashOfPlan(plan), attempt: 1, signal };
  await kinds['withhold']?.run(call);
  await writeExtent(placesOf(call), { parts: [{ from: '', to: live }], keeps: [] });
  const done = ['stop', 'withhold'].flatMap((one) => [entry('began', one), entry('done', one)]);
  const entries = [...done, entry('began', 'over')];
  const journal = { entries: async () => [...entries], append: async (one: Entry) => void entries.push(one) };
  return { plan, entries, key, surroundings: { journal, kinds, clock: systemClock, signal, onEntry: () => undefined } };
}

function entry(what: Entry['what'], of: string): Entry {
  return { what, step: of, attempt: 1, timeNs: 1n };
}

test('a plan that was cut off over a cluster whose disk is away then stays where it is: nothing is started, what the old one starts with doesn’t come back', async () => {
  await using dir = await tempDir();
  const { plan, surroundings, entries, key } = await halfOver(dir);
  assert.equal(existsSync(key), false);
  await rename(dir.file('disk'), dir.file('away'));
  const before = entries.length;
  const away = { code: 'refused', message: /disk was on the disk mounted at .* and is not/ };
  await assert.rejects(execute(plan, surroundings), away);
  await assert.rejects(undo(plan, surroundings, 'ann'), away);
  assert.equal(entries.length, before);
  await rename(dir.file('away'), dir.file('disk'));
  await assert.rejects(execute(plan, surroundings), { message: /no backup/, next: /half done/ });
  assert.equal((await undo(plan, surroundings, 'ann')).phase, 'given up');
  assert.deepEqual([existsSync(key), existsSync(dir.file('started'))], [false, false]);
});

test('what a cluster starts with is put back by no undo into one that is half over, and its plan comes to an end', async () => {
  await using dir = await tempDir();
  const { plan, surroundings, key } = await halfOver(dir);
  await surroundings.journal.append({ what: 'turned back', reason: 'by an earlier version', timeNs: 2n });
  assert.equal((await execute(plan, surroundings)).phase, 'undone');
  assert.equal(existsSync(key), false);
});

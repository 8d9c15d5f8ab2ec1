import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut, PowerCut } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { budget } from './budget.ts';
import { jobContext } from './support/engine.ts';
import { assertWhole, journalsOf, leaving, lockedByOther, type Leaving } from './support/leaving.ts';
import { pruneAll } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { besidePrune, type PrunePhase } from './support/prune-matrix.ts';
import { checkByRestic, removeLocks } from './support/stored-in.ts';

/**
 * The power goes at the k-th call of the storage, for every k, in each phase of a prune beside others. Whatever it was
 * doing: every snapshot is whole, byte for byte; the same prune run again succeeds; and two days later nothing is left
 * that no snapshot needs, no journal either.
 */
interface Phase {
  readonly name: string;
  /** Brings the repository to where the phase begins. */
  readonly prepare: (at: Leaving) => Promise<void>;
  readonly way?: 'instant';
  /** Somebody else is at work meanwhile. */
  readonly beside?: true;
  /** A snapshot without locks came after the drop: it is whole once the prune is through. */
  readonly incomplete?: true;
  /** Where it stands in the table. */
  readonly row?: PrunePhase;
}

const phases: readonly Phase[] = [
  { name: 'the mark beside another', prepare: async () => undefined, beside: true, row: 'in the mark' },
  { name: 'the mark and the drop', prepare: async () => undefined },
  { name: 'the drop of what was marked', prepare: markOnly, row: 'in the drop' },
  { name: 'the drop, a snapshot having come', prepare: async (at) => await markOnly(at).then(() => bringBack(at)) },
  { name: 'the deletion', prepare: dropAndWait, row: 'in the deletion' },
  {
    name: 'the deletion, a snapshot having come',
    prepare: async (at) => await dropAndWait(at).then(() => bringBack(at)),
    incomplete: true,
  },
  { name: 'an instant prune after the mark', prepare: markOnly, way: 'instant' },
];

async function markOnly(at: Leaving): Promise<void> {
  await using _other = await lockedByOther(at.context);
  await pruneAll(at.context, { way: 'deferred' });
}

async function dropAndWait(at: Leaving): Promise<void> {
  await pruneAll(at.context, { way: 'deferred' });
  at.clock.skipHours(25);
}

async function bringBack({ forgotten, bringBack: bring }: Leaving): Promise<void> {
  for (const snapshot of forgotten.slice(0, 1)) await bring(snapshot);
}

for (const phase of phases) {
  test(`a power cut at any moment of ${phase.name} loses nothing`, { timeout: 3_600_000 }, async (context) => {
    await using at = await leaving();
    await phase.prepare(at);
    const folder = at.dir.file('data');
    const start = { image: await imageFor(at, phase) };
    const program = async (storage: Storage): Promise<void> => {
      await pruneAll(jobContext(storage, at.clock), { way: phase.way ?? 'deferred' });
    };
    const calls = await countOperations(start, program);
    let cuts = 0;
    for (const [number, { point, fate }] of [...everyCut(calls)].entries()) {
      if (number % budget.crashStep !== 0) continue;
      const { reached, error, survivors } = await cutAt(start, point, program);
      const where = `${phase.name}: power cut ${point.mode} call ${point.operation} of ${calls}, ${JSON.stringify(fate)}`;
      if (!reached) continue;
      assert.ok(error === undefined || error instanceof PowerCut, `${where}: ${String(error)}`);
      cuts += 1;
      const left = survivors(fate);
      if (!phase.incomplete) await assertWhole(left, at.contents, folder, where);
      if (phase.incomplete || cuts % budget.crashesPerRerun === 0) await assertFinishes(left, at, where);
      if (cuts % budget.crashesPerResticCheck === 1 && !phase.incomplete) await checkByRestic(context, left, where);
    }
    assert.ok(cuts >= (calls * 5) / budget.crashStep / 2, `${cuts} cuts of ${calls} calls were reached`);
    const count = `${cuts} cuts`;
    const table = phase.row && besidePrune('power cut', { [phase.row]: `whole, ${count}` });
    prove(context, {
      claim: `a power cut at any moment of ${phase.name} loses nothing`,
      count,
      ...(table && { table }),
    });
  });
}

async function imageFor({ storage, context }: Leaving, { beside }: Phase): Promise<MemoryStorage['durable']> {
  if (!beside) return new Map(storage.durable);
  await using _other = await lockedByOther(context);
  return new Map(storage.durable);
}

/** Packs that no index names have to be a day old before they are marked. */
async function assertFinishes(
  { durable }: MemoryStorage,
  { clock, contents, dir }: Leaving,
  where: string,
): Promise<void> {
  const left = new MemoryStorage(durable, clock);
  const context = jobContext(left, clock);
  await removeLocks(left);
  const aheadHours = [0, 25, 25, 25];
  for (const hours of aheadHours) {
    clock.skipHours(hours);
    await pruneAll(context, { way: 'deferred' });
    await assertWhole(left, contents, dir.file('data'), `${where}, run again`);
  }
  clock.skipHours(-75);
  assert.deepEqual(await journalsOf(left), [], where);
  await using repository = await context.access.open();
  await repository.loadIndex(() => undefined);
  const named = new Set([...repository.index.all()].map(({ pack }) => pack));
  for await (const { id } of repository.list('data')) assert.ok(named.has(id), `${where}: the pack ${id} is left over`);
}

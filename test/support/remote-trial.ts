import assert from 'node:assert/strict';
import { after } from 'node:test';
import { inspect } from 'node:util';
import { hasCode } from '../../src/errors/error.ts';
import { MemoryStorage, type Image } from '../../src/storage/memory.ts';
import { countOperations, cutAt, everyCut, PowerCut, type Cut, type CutOutcome } from '../../src/storage/powercut.ts';
import { seededRandom } from '../../src/storage/seeded.ts';
import {
  appendOnlyRestSemantics,
  bareSftpSemantics,
  restSemantics,
  s3Semantics,
  sftpSemantics,
  type Semantics,
} from '../../src/storage/semantics.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { budget } from '../budget.ts';
import { history, type Operation } from './crash-operations.ts';
import { examine, jobContext, type Health } from './engine.ts';
import type { MovableClock } from './movable-clock.ts';
import { tempDir, type TempDir } from './temp-dir.ts';

/** An operation, and what it finds. */
export interface Scene {
  readonly operation: Operation;
  readonly dir: TempDir;
  readonly image: Image;
  readonly clock: MovableClock;
  /** What must be kept: of the history, or where the operation mends something, of what it makes of it in peace. */
  readonly before: Health;
}

const scenes = new Map<Operation, Promise<Scene>>();
after(async () => {
  for (const scene of scenes.values()) await (await scene).dir[Symbol.asyncDispose]();
});

async function sceneOf(operation: Operation): Promise<Scene> {
  const made = scenes.get(operation) ?? makeScene(operation);
  scenes.set(operation, made);
  return await made;
}

async function makeScene(operation: Operation): Promise<Scene> {
  const dir = await tempDir();
  const { image, clock } = await history(dir, operation);
  const storage = new MemoryStorage(image);
  if (operation.mends) await operation.run(jobContext(storage, clock), dir);
  return { operation, dir, image, clock, before: await examine(storage) };
}

/** What an append-only server refuses is no failure. */
function programOf({ operation, clock, dir }: Scene, semantics: Semantics): (storage: Storage) => Promise<void> {
  return async (storage) => {
    try {
      await operation.run(jobContext(storage, clock), dir);
    } catch (error) {
      if (semantics !== appendOnlyRestSemantics || !hasCode(error, 'storage-denied')) throw error;
    }
  };
}

export const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** One kind of storage under one operation. */
export interface Trial {
  readonly scene: Scene;
  readonly semantics: Semantics;
  readonly calls: number;
  readonly program: (storage: Storage) => Promise<void>;
  readonly random: () => number;
}

/** The operation on kinds of storage where it can be done; in a sample on some of them. */
export async function trials(operation: Operation, kinds: readonly Semantics[]): Promise<readonly Trial[]> {
  const scene = await sceneOf(operation);
  const random = seededRandom(firstSeed);
  const possible = kinds.filter((semantics) => isPossible(operation, semantics));
  const made: Trial[] = [];
  for (const semantics of chosen(possible, budget.remoteKinds, random)) {
    const program = programOf(scene, semantics);
    const calls = await countOperations({ image: scene.image, semantics }, program);
    made.push({ scene, semantics, calls, program, random });
  }
  return made;
}

/** What mends replaces something, which nobody can in an append-only storage. */
function isPossible({ needs, mends }: Operation, semantics: Semantics): boolean {
  if (mends && semantics === appendOnlyRestSemantics) return false;
  return needs === undefined || semantics.capabilities[needs];
}

/** As many as are wanted, by chance. */
export function chosen<T>(all: readonly T[], count: number, random: () => number): readonly T[] {
  if (count >= all.length) return all;
  const drawn = all.map((one) => ({ one, lot: random() })).toSorted((a, b) => a.lot - b.lot);
  return drawn.slice(0, count).map(({ one }) => one);
}

/** Cuts the operation off as `cuts` says; what came of each goes to `judge`. How many there were. */
export async function cutOff(
  { scene, semantics, calls, program, random }: Trial,
  isTried: (cut: Cut) => boolean,
  judge: (outcome: CutOutcome, cut: Cut, where: string) => Promise<void>,
): Promise<number> {
  const cuts = chosen([...everyCut(calls)].filter(isTried), budget.remoteCuts, random);
  let reached = 0;
  for (const cut of cuts) {
    const { point, fate } = cut;
    const outcome = await cutAt({ image: scene.image, semantics }, point, program);
    if (!outcome.reached) continue;
    reached += 1;
    const at = `cut ${point.mode} call ${point.operation} of ${calls}, ${JSON.stringify(fate)}, seed ${firstSeed}`;
    const where = `${scene.operation.name} on ${semantics.name}, ${at}`;
    assert.ok(outcome.error === undefined || outcome.error instanceof PowerCut, `${where}: ${inspect(outcome.error)}`);
    await judge(outcome, cut, where);
  }
  assert.ok(cuts.length < 10 || reached >= cuts.length / 2, `${reached} of ${cuts.length} cuts were reached`);
  return reached;
}

export const everyKind: readonly Semantics[] = [
  s3Semantics,
  sftpSemantics,
  bareSftpSemantics,
  restSemantics,
  appendOnlyRestSemantics,
];

import assert from 'node:assert/strict';
import type { ExternalPoint } from '../../../src/point/point.ts';
import type { ExternalPoints } from '../../../src/source/external.ts';
import type { ExternalSubject } from './subject.ts';
import { assertAborts, component, failureOf, type SourceTrial } from './trial.ts';

/** A promise of external.ts, and how to see whether it is kept. */
export interface ExternalPromise {
  readonly name: string;
  readonly prove: (trial: SourceTrial, subject: ExternalSubject) => Promise<void>;
}

const wanted = (minute: number, rule = 'nightly'): Parameters<ExternalPoints['make']>[1] => ({
  rule,
  method: 'whole',
  timeNs: BigInt(Date.UTC(2026, 0, 1, 0, minute)) * 1_000_000n,
});

export const externalPromises: readonly ExternalPromise[] = [
  {
    name: 'every place that the policy may name answers, and is empty at first',
    prove: async (trial) => {
      for (const place of placesOf(trial)) assert.deepEqual(await trial.external().list(place, trial.walk), []);
    },
  },
  {
    name: 'a point that was made is listed as it was wanted, there and in no other place',
    prove: async (trial) => {
      const [here, there] = twoPlaces(trial);
      const made = await trial.external().make(here, wanted(1), trial.walk);
      const others = await trial.external().make(here, wanted(2, 'weekly'), trial.walk);
      const listed = await inOrder(trial, here);
      assert.deepEqual(listed, [made, others].toSorted(byTime));
      for (const [at, one] of [wanted(1), wanted(2, 'weekly')].entries())
        assert.partialDeepStrictEqual(listed[at], one);
      assert.notEqual(made.identity, others.identity);
      assert.deepEqual(await inOrder(trial, there), []);
    },
  },
  {
    name: 'a copy is the same point in another place; copying it again changes nothing',
    prove: async (trial) => {
      const [from, to] = twoPlaces(trial);
      const point = await trial.external().make(from, wanted(1), trial.walk);
      for (let count = 0; count < 2; count += 1) {
        await trial.external().copy(point, { from, to }, trial.walk);
        assert.deepEqual(await inOrder(trial, to), [point]);
        assert.deepEqual(await inOrder(trial, from), [point]);
      }
      assert.deepEqual(await trial.external().verify(to, point, 'restore', trial.walk), { state: 'verified' });
    },
  },
  {
    name: 'expiry removes the one that it is given, in that place alone; once more is no error',
    prove: async (trial) => {
      const [from, to] = twoPlaces(trial);
      const [older, newer] = [await make(trial, from, 1), await make(trial, from, 2)];
      await trial.external().copy(older, { from, to }, trial.walk);
      for (let count = 0; count < 2; count += 1) {
        await trial.external().expire(from, older, trial.walk);
        assert.deepEqual(await inOrder(trial, from), [newer]);
        assert.deepEqual(await inOrder(trial, to), [older]);
      }
    },
  },
  {
    name: 'nothing but expiry removes a point',
    prove: async (trial, { spoil }) => {
      const [from, to] = twoPlaces(trial);
      const point = await make(trial, from, 1);
      await spoil(trial.dir.path);
      await trial
        .external()
        .make(from, wanted(2), trial.walk)
        .catch(() => undefined);
      await trial.external().copy(point, { from, to }, trial.walk);
      await trial.external().verify(from, point, 'restore', trial.walk);
      assert.deepEqual((await inOrder(trial, from))[0], point);
    },
  },
  {
    name: 'what vanished is not listed, and failed when it is asked for',
    prove: async (trial, { vanish }) => {
      const [here] = twoPlaces(trial);
      const [point, other] = [await make(trial, here, 1), await make(trial, here, 2)];
      await vanish(trial.dir.path, here, point.identity);
      assert.deepEqual(await inOrder(trial, here), [other]);
      assert.equal((await trial.external().verify(here, point, 'restore', trial.walk)).state, 'failed');
    },
  },
  {
    name: 'a damaged copy is never verified where its data is looked at, a sound one never failed',
    prove: async (trial, { damage }) => {
      const [here] = twoPlaces(trial);
      const [point, sound] = [await make(trial, here, 1), await make(trial, here, 2)];
      await damage(trial.dir.path, here, point.identity);
      for (const level of ['structure', 'data', 'sample', 'restore'] as const) {
        const { state } = await trial.external().verify(here, point, level, trial.walk);
        if (level !== 'structure') assert.notEqual(state, 'verified', level);
        assert.notEqual((await trial.external().verify(here, sound, level, trial.walk)).state, 'failed', level);
      }
      assert.equal((await trial.external().verify(here, point, 'restore', trial.walk)).state, 'failed');
    },
  },
  {
    name: 'a place that can’t be asked throws in every call, and the error names component and place',
    prove: async (trial, { silence }) => {
      const [here, there] = twoPlaces(trial);
      const point = await make(trial, here, 1);
      await silence(trial.dir.path, here, 'fails');
      for (const call of callsOf(trial, point, here, there)) {
        const { message } = await failureOf(trial, async () => await call(trial.walk.signal));
        assert.ok(message.startsWith(`${component}: `) && message.includes(here), message);
      }
    },
  },
  {
    name: 'an abort ends every call on a place that never answers, and leaves nothing listed',
    prove: async (trial, { silence }) => {
      const [here, there] = twoPlaces(trial);
      const point = await make(trial, here, 1);
      await silence(trial.dir.path, here, 'never answers');
      for (const call of callsOf(trial, point, here, there)) await assertAborts(call);
      assert.deepEqual(await inOrder(trial, there), []);
    },
  },
  {
    name: 'what can’t be had in whole is told or fails; of nothing at all no point is made',
    prove: async (trial, { spoil, empty }) => {
      const [here] = twoPlaces(trial);
      await spoil(trial.dir.path);
      const partly = await make(trial, here, 1).catch((error: unknown) => void trial.told.things.push(error));
      assert.ok(partly === undefined || trial.told.warnings() > 0, 'nothing was told');
      await empty(trial.dir.path);
      const before = await inOrder(trial, here);
      await failureOf(trial, async () => await make(trial, here, 2));
      assert.deepEqual(await inOrder(trial, here), before);
    },
  },
];

type Call = (signal: AbortSignal) => Promise<unknown>;

function callsOf(trial: SourceTrial, point: ExternalPoint, here: string, there: string): readonly Call[] {
  const external = trial.external();
  const walk = (signal: AbortSignal): SourceTrial['walk'] => ({ ...trial.walk, signal });
  return [
    async (signal) => await external.list(here, walk(signal)),
    async (signal) => await external.make(here, wanted(3), walk(signal)),
    async (signal) => await external.copy(point, { from: here, to: there }, walk(signal)),
    async (signal) => await external.copy(point, { from: there, to: here }, walk(signal)),
    async (signal) => await external.expire(here, point, walk(signal)),
    async (signal) => await external.verify(here, point, 'restore', walk(signal)),
  ];
}

async function make(trial: SourceTrial, place: string, minute: number): Promise<ExternalPoint> {
  const point = await trial.external().make(place, wanted(minute), trial.walk);
  trial.told.things.push(point);
  return point;
}

async function inOrder(trial: SourceTrial, place: string): Promise<readonly ExternalPoint[]> {
  const points = await trial.external().list(place, trial.walk);
  trial.told.things.push(points);
  return points.toSorted(byTime);
}

function byTime(a: ExternalPoint, b: ExternalPoint): number {
  return a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0;
}

function placesOf({ subject, options }: SourceTrial): readonly string[] {
  return Object.keys(subject.kind.places?.(options) ?? {});
}

function twoPlaces(trial: SourceTrial): readonly [string, string] {
  const [here, there] = placesOf(trial);
  assert.ok(here !== undefined && there !== undefined, 'two places are needed to prove it');
  return [here, there];
}

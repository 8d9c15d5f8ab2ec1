import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../errors/error.ts';
import type { Extent } from '../log/log.ts';
import type { Moment, MomentPlan, Reach } from '../point/moment.ts';
import type { Survey } from '../source/recovery.ts';
import { planSoundFirst, withoutBackup } from './plan-moment.ts';

/** From a backup that is consistent at `from`, up to `to`. */
function reach(from: bigint, to: bigint, state: 'verified' | 'failed'): Reach {
  const about = { component: 'shop-db', rule: 'full', method: 'physical', identity: `${from}`, timeNs: from };
  const point = { identity: `${from}`, rule: 'full', method: '', timeNs: from, sizeBytes: 1 };
  const copy = { held: 'external', repository: 'near', point, proof: { state, level: 'restore', timeNs: 1n } } as const;
  const log = { stream: '1', epoch: 1, from: from - 5n, to: from };
  const lineage = { epochs: [{ epoch: 1, from: 0n, to: undefined }] };
  return { base: { ...about, sizeBytes: 1, log, copies: [copy] }, lineage, parts: [], from, to };
}

/** That the log has each position. */
const surveyAll = async (): Promise<Survey> => ({
  ...{
    stop: { at: 55n, timeNs: undefined },
    begins: 'before',
    last: undefined,
    obstacles: [],
    needs: {},
    end: undefined,
  },
});

async function baseFor(moment: Moment, ...reaches: readonly Reach[]): Promise<string | undefined> {
  const found = await planSoundFirst({ moment, edge: 'included' }, reaches, surveyAll);
  return 'reason' in found ? undefined : found.plan.base.identity;
}

test('a moment is brought back by a backup that nobody found wrong, and by another only where none leads there', async () => {
  const at55: Moment = { kind: 'position', at: 55n };
  const bad = reach(50n, 90n, 'failed');
  assert.equal(await baseFor(at55, bad, reach(20n, 90n, 'verified')), '20');
  assert.equal(await baseFor(at55, bad, reach(20n, 40n, 'verified')), '50', 'a gap is between');
  assert.equal(await baseFor(at55, bad, reach(20n, 90n, 'failed')), '50');
  assert.equal(await baseFor({ kind: 'consistent' }, bad, reach(20n, 40n, 'verified')), '20');
  assert.equal(await baseFor({ kind: 'name', name: 'here' }, bad, reach(20n, 90n, 'verified')), '20');
});

test('a timeline to which no backup leads is told with those that there are', () => {
  const segment = (epoch: number): Extent => ({ epoch, from: 0n, to: 16n });
  const piece = { segment: segment(1), from: 0n, to: 4n };
  const listing = { segments: [segment(3), segment(1)], pieces: [piece] };
  assert.match(withoutBackup(7, listing).reason, /^no backup leads to timeline 7; the log holds 1, 3$/);
  assert.match(withoutBackup(undefined, listing).reason, /^no backup of this timeline says/);
});

test('all there is comes by a backup that was found wrong where the others don’t lead as far', async () => {
  const latest: Moment = { kind: 'latest' };
  const bad = reach(50n, 90n, 'failed');
  assert.equal(await baseFor(latest, bad, reach(30n, 90n, 'verified'), reach(20n, 90n, 'verified')), '30');
  assert.equal(await baseFor(latest, bad, reach(20n, 40n, 'verified')), '50');
});

test('a backup that a slow clock dated before a time, though something later stands before it in the log, is too new', async () => {
  const part = { held: 'segment', extent: { epoch: 1, from: 30n, to: 45n } } as const;
  const late = { ...reach(50n, 90n, 'verified'), before: [part] };
  const early = reach(20n, 90n, 'verified');
  const base = async (survey: (plan: MomentPlan) => Partial<Survey>): Promise<string | undefined> => {
    const asked = { moment: { kind: 'time', timeNs: 60n }, edge: 'included' } as const;
    const all = async (plan: MomentPlan): Promise<Survey> => ({ ...(await surveyAll()), ...survey(plan) });
    const found = await planSoundFirst(asked, [late, early], all);
    return 'reason' in found ? undefined : found.plan.base.identity;
  };
  const begins = ({ parts }: MomentPlan, is: Survey['begins']): Partial<Survey> =>
    parts.length > 0 ? { begins: is } : {};
  assert.equal(await base((plan) => begins(plan, 'after')), '20');
  assert.equal(await base((plan) => begins(plan, 'before')), '50');
  const last = { at: 52n, timeNs: undefined };
  assert.equal(await base((plan) => ({ ...begins(plan, 'after'), last })), '50', 'something was done between, in time');
  assert.equal(
    await base(({ parts }) => {
      if (parts.length > 0) throw new HoldfastError('damaged', 'nobody can read what stands before');
      return {};
    }),
    '50',
  );
});

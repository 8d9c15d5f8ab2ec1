import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { listOwnObjects } from '../repository/own-object.ts';
import { leaseMs, takeLease, type Lease, type LeaseHolder, type Taken } from './lease.ts';

const clock = new ManualClock();
const options = (
  holder: LeaseHolder,
  askedNs = clock.nowNs(),
  ticking: ManualClock = clock,
): Parameters<typeof takeLease>[1] => ({ component: 'shop', rule: 'hourly', holder, clock: ticking, askedNs });
const here: LeaseHolder = { hostname: 'here', pid: process.pid };
const there: LeaseHolder = { hostname: 'there', pid: 1 };

function held(taken: Lease | Taken): Lease {
  assert.ok('assertHeld' in taken);
  return taken;
}

test('of many who ask at once one runs; the others are told who', async () => {
  await using repository = await newRepository();
  const asked = await Promise.all(Array.from({ length: 8 }, () => takeLease(repository, options(here))));
  const leases = asked.filter((one): one is Lease => 'assertHeld' in one);
  assert.equal(leases.length, 1);
  for (const one of asked) if (!('assertHeld' in one)) assert.equal(one.state, 'running');
  await leases[0]?.assertHeld();
  await leases[0]?.[Symbol.asyncDispose]();
});

test('who asked before somebody else ran it need not run it again; who asks later does', async () => {
  await using repository = await newRepository();
  const before = clock.nowNs();
  await held(await takeLease(repository, options(there)))[Symbol.asyncDispose]();
  // Given back without having been done: nobody may rely on it.
  const done = held(await takeLease(repository, options(there, before)));
  done.markDone();
  await done[Symbol.asyncDispose]();
  assert.deepEqual(await takeLease(repository, options(here, before)), { by: 'process 1 on there', state: 'done' });
  const ahead = new ManualClock({ startNs: clock.nowNs() + 3_600_000_000_000n });
  clock.advance(1);
  const fast = held(await takeLease(repository, options(there, ahead.nowNs(), ahead)));
  fast.markDone();
  await fast[Symbol.asyncDispose]();
  // What a clock an hour ahead calls done is no reason to leave a backup out.
  await using again = held(await takeLease(repository, options(here)));
  await again.assertHeld();
  assert.equal((await listOwnObjects(repository, 'holdfast/leases/')).length, 1);
});

test('a holder of this host that is dead loses it at once, one of another host when its time is over', async () => {
  await using repository = await newRepository();
  const gone: LeaseHolder = { hostname: 'here', pid: 4_000_000 };
  const first = held(await takeLease(repository, options(gone)));
  const second = held(await takeLease(repository, options(here)));
  await assert.rejects(first.assertHeld(), { code: 'lock-lost' });
  await second[Symbol.asyncDispose]();
  clock.advance(1);
  const far = held(await takeLease(repository, options(there)));
  assert.ok(!('assertHeld' in (await takeLease(repository, options(here)))));
  // The far one stands still; only here time goes on.
  const later = new ManualClock({ startNs: clock.nowNs() + BigInt(leaseMs + 1) * 1_000_000n });
  const taken = held(await takeLease(repository, options(here, later.nowNs(), later)));
  await assert.rejects(far.assertHeld(), { code: 'lock-lost' });
  await far[Symbol.asyncDispose]();
  await taken.assertHeld();
  await taken[Symbol.asyncDispose]();
});

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { silent } from '../events/events.ts';
import { loadPolicy } from '../policy/load.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { ComponentContext, RuleOf } from './component.ts';
import { leaseMs, takeLease, type Lease, type LeaseHolder, type Taken } from './lease.ts';
import { turnFor } from './turn.ts';

/** Two machines whose policies name one host, as when a service moves between them. */
const { policy } = loadPolicy(`
version: 1
host: shared
repositories: { near: { url: /near, password: { env: P } } }
components: { shop: { files: { paths: [/srv] }, backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } } } }
`);

interface Machine {
  readonly clock: ManualClock;
  /** This machine's turn at the rule. */
  readonly turn: () => Promise<Lease | Taken>;
  /** Another's, by the name of its kernel. */
  readonly other: (holder: LeaseHolder, clock?: ManualClock) => Promise<Lease | Taken>;
}

async function machine(stateFolder: string): Promise<Machine> {
  const held = policy ?? assert.fail('the policy doesn’t hold');
  const { shop: component } = held.components;
  const rule = component?.backups['hourly'];
  assert.ok(component !== undefined && rule !== undefined);
  const [clock, storage] = [new ManualClock(), new MemoryStorage()];
  const repository = await newRepository(storage);
  const maker = { hostname: 'shared', username: 'me', uid: 0, gid: 0, programVersion: 'holdfast' };
  const context: ComponentContext = {
    policy: held,
    kinds: {},
    readSecret: async () => assert.fail('a lease needs no secret'),
    access: () => ({ open: async () => repository, holder: { ...maker, pid: process.pid }, locking: 'none' }),
    clock,
    signal: new AbortController().signal,
    listener: silent,
    maker,
    writer: { compression: 'auto', packSizeBytes: 2 ** 24, extraVerify: 'verified', readConcurrency: 2 },
    mode: 'execute',
    askedNs: clock.nowNs(),
    stateFolder,
  };
  const of: RuleOf = { name: 'shop', component, ruleName: 'hourly', rule };
  return {
    clock,
    turn: async () => await turnFor({ ...context, askedNs: clock.nowNs() }, of),
    other: async (holder, ticking = clock) =>
      await takeLease(repository, {
        component: 'shop',
        rule: 'hourly',
        holder,
        clock: ticking,
        askedNs: ticking.nowNs(),
      }),
  };
}

function isHeld(turn: Lease | Taken): turn is Lease {
  return 'assertHeld' in turn;
}

test('a lease is held in the name of the machine, not of the host that machines may share in their policies', async () => {
  await using dir = await tempDir();
  const { turn, other } = await machine(dir.path);
  const lease = await turn();
  assert.ok(isHeld(lease));
  const theirs = await other({ hostname: 'another', pid: 1 });
  assert.deepEqual(theirs, { by: `process ${process.pid} on ${hostname()}`, state: 'running' });
  await lease[Symbol.asyncDispose]();
});

test('a process that this machine doesn’t have is alive on another one that shares the host of the policy', async () => {
  await using dir = await tempDir();
  const { turn, other, clock } = await machine(dir.path);
  // Its kernel calls it what the policy does; no process of ours has that number.
  const theirs = await other({ hostname: 'shared', pid: 4_000_000 }, new ManualClock({ startNs: clock.nowNs() }));
  assert.ok(isHeld(theirs));
  assert.deepEqual(await turn(), { by: 'process 4000000 on shared', state: 'running' });
  await theirs.assertHeld();
  // Silent for longer than a lease lasts: it is taken over, and what was held is told so.
  clock.advance(leaseMs + 1);
  const ours = await turn();
  assert.ok(isHeld(ours));
  await assert.rejects(theirs.assertHeld(), { code: 'lock-lost' });
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

test('a dead process of this very machine holds nobody up, whatever host the policy names', async () => {
  await using dir = await tempDir();
  const { turn, other, clock } = await machine(dir.path);
  const gone = await other({ hostname: hostname(), pid: 4_000_000 }, new ManualClock({ startNs: clock.nowNs() }));
  assert.ok(isHeld(gone));
  const lease = await turn();
  assert.ok(isHeld(lease));
  await lease[Symbol.asyncDispose]();
  await gone[Symbol.asyncDispose]();
});

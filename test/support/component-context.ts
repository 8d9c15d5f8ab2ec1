import assert from 'node:assert/strict';
import type { Clock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import type { ComponentContext } from '../../src/job/component.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { openRepository } from '../../src/repository/open.ts';
import { sourceKinds } from '../../src/source/kinds.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { writerOptions } from './pipeline.ts';
import { testPassword } from './repository.ts';

interface Surroundings {
  readonly policy: Policy;
  /** Of the policy's repositories, by their names. */
  readonly storageOf: (name: string) => Storage;
  readonly clock: Clock;
  readonly stateFolder: string;
}

/** What jobs on components need, on a host called `here`, whose repositories are opened with the test's password. */
export function componentContextOver(
  { policy, storageOf, clock, stateFolder }: Surroundings,
  more: Partial<ComponentContext> = {},
): ComponentContext {
  const holder = { hostname: 'here', username: 'ann', pid: 1, uid: 0, gid: 0 };
  return {
    policy,
    kinds: sourceKinds,
    access: (name) => ({
      open: async () => await openRepository({ storage: storageOf(name), clock, password: testPassword }),
      holder,
      locking: 'none',
    }),
    clock,
    readSecret: async () => assert.fail('no secret is needed'),
    signal: new AbortController().signal,
    listener: silent,
    maker: { hostname: 'here', username: 'ann', uid: 0, gid: 0, programVersion: 'test' },
    writer: writerOptions(),
    mode: 'execute',
    askedNs: clock.nowNs(),
    stateFolder,
    ...more,
  };
}

interface ShopSurroundings extends Pick<Surroundings, 'clock' | 'stateFolder'> {
  /** Of the repository near. */
  readonly storage: Storage;
  /** As the policy has it; without it no log is kept. */
  readonly log?: string;
}

/** The same for one cluster, shop-db, of whose backups near keeps the last. */
export function shopContext({ storage, log, ...others }: ShopSurroundings): ComponentContext {
  const { policy = assert.fail() } = loadPolicy(`version: 1
repositories: { near: { url: /near, password: { env: P } } }
components:
  shop-db:
    postgres: { url: { env: U } }
    backups: { full: { at: "02:00", to: { near: { keep: { last: 1 } } } } }
${log === undefined ? '' : `    log: ${log}\n`}`);
  return componentContextOver({ policy, storageOf: () => storage, ...others });
}

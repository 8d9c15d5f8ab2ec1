import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentContextOver } from '../../test/support/component-context.ts';
import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { loadPolicy } from '../policy/load.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { assertGoesAway } from './in-the-way.ts';

const error = new HoldfastError('refused', 'postmaster.pid says so', { next: 'Remove it.' });

/** What is told of something in the way of a plan whose policy says this of stopping. */
async function toldBy(restore: string, isSeen: boolean, mode: 'execute' | 'dry-run' = 'execute'): Promise<string> {
  const { policy = assert.fail() } = loadPolicy(`version: 1
repositories: { near: { url: /near, password: { env: P } } }
components:
  shop-db:
    postgres: { url: { env: U } }
    backups: { full: { at: "02:00", to: { near: { keep: { last: 1 } } } } }
${restore === '' ? '' : `    restore: ${restore}\n`}`);
  const told: string[] = [];
  const surroundings = { policy, storageOf: () => new MemoryStorage(), clock: systemClock, stateFolder: '/nowhere' };
  const context = componentContextOver(surroundings, {
    listener: (event) => void (event.kind === 'warning' && told.push(event.message)),
  });
  await assertGoesAway(context, { component: 'shop-db', isSeen, error, mode });
  return told.join('; ');
}

const policyWith = (running: string): string => `{ stop: "/bin/false", start: "/bin/false"${running} }`;

test('what says that a server runs, though the policy’s own words say that none does, is refused before anything is restored', async () => {
  const stopped = policyWith(', running: "/bin/false"');
  for (const restore of ['', stopped]) {
    await assert.rejects(toldBy(restore, false), error);
    await assert.rejects(toldBy(restore, true), error);
    assert.equal(await toldBy(restore, false, 'dry-run'), error.message);
  }
});

test('what the plan stops is in nobody’s way; where it may not, the way out is told first', async () => {
  assert.equal(await toldBy(policyWith(', running: "/bin/true"'), false), '');
  assert.equal(await toldBy(policyWith(''), true), '');
  assert.match(
    await toldBy(policyWith(''), false),
    /says so: unless `stop:` sees to that, .* turned back\. Remove it\./,
  );
});

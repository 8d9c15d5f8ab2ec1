import assert from 'node:assert/strict';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { FaultyStorage } from '../storage/fault.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { deliver } from './deliver.ts';
import { isWaiting, keepWaiting, waitingFor } from './outbox.ts';
import type { RecordFacts } from './record.ts';
import { verifyChains } from './verdict.ts';

function fact(n: number, component = 'shop'): RecordFacts {
  return { kind: 'run', component, timeNs: BigInt(n), actor: { id: 'ann', via: 'cli' }, data: { n } };
}

async function numbers(dir: TempDir, component: string): Promise<readonly unknown[]> {
  const waiting = await Array.fromAsync(waitingFor({ folder: dir.path }, component));
  return waiting.map(({ facts }) => facts.data['n']);
}

test('what waits for one component is found by names alone, read one by one, oldest first', async () => {
  await using dir = await tempDir();
  const state = { folder: dir.path };
  for (const one of [fact(3), fact(1), fact(2, 'other')]) await keepWaiting(state, one);
  // Nobody could read it as a fact.
  await mkdir(dir.file('outbox/00000000000000000000-0.another.json'));
  assert.deepEqual(await numbers(dir, 'shop'), [1, 3]);
  assert.deepEqual(await numbers(dir, 'other'), [2]);
  assert.equal(await isWaiting(state, 'nobody'), false);
  const taken = waitingFor(state, 'shop');
  assert.equal((await taken.next()).value?.facts.data['n'], 1);
  await (await taken.next()).value?.done();
  assert.deepEqual(await numbers(dir, 'shop'), [1]);
});

test('what waits since before under a name without a component is told, too', async () => {
  await using dir = await tempDir();
  await keepWaiting({ folder: dir.path }, fact(1));
  const [name = ''] = await readdir(dir.file('outbox'));
  await rename(dir.file('outbox', name), dir.file('outbox', name.replace('.shop.', '.')));
  assert.deepEqual(await numbers(dir, 'shop'), [1]);
  assert.deepEqual(await numbers(dir, 'other'), []);
});

test('however much waits, the chain is looked through once', async () => {
  await using dir = await tempDir();
  let lists = 0;
  const storage = new FaultyStorage(new MemoryStorage(), {
    faultFor: ({ kind }) => {
      if (kind === 'list') lists += 1;
      return undefined;
    },
  });
  await using repository = await newRepository(storage);
  for (let n = 1; n <= 40; n += 1) await keepWaiting({ folder: dir.path }, fact(n));
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  lists = 0;
  await deliver(repository, fact(41), { writer, state: { folder: dir.path } });
  assert.ok(lists <= 2, String(lists));
  const [chain] = await verifyChains(repository, { signersOf: () => undefined, heads: undefined });
  assert.equal(chain?.right, 41);
  assert.equal(await isWaiting({ folder: dir.path }, 'shop'), false);
});

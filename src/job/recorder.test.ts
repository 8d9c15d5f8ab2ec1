import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { HoldfastError } from '../errors/error.ts';
import { waitingFor } from '../record/outbox.ts';
import { verifyChains } from '../record/verdict.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Event } from '../events/events.ts';
import type { Repository } from '../repository/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { Recorder } from './recorder.ts';

/** Records of a host whose repositories open as `open` says; the warnings that it gives. */
function recorderWith(
  folder: string,
  open: () => Promise<Repository>,
  signal = new AbortController().signal,
): { readonly recorder: Recorder; readonly clock: ManualClock; readonly warnings: readonly string[] } {
  const { policy } = loadPolicy(samplePolicy);
  assert.ok(policy);
  const warnings: string[] = [];
  const clock = new ManualClock();
  const holder = { hostname: 'here', username: 'ann', pid: 1, uid: 0, gid: 0 };
  const context = {
    policy,
    access: () => ({ open, holder, locking: 'none' as const }),
    clock,
    signal,
    listener: (event: Event) => (event.kind === 'warning' ? void warnings.push(event.message) : undefined),
  };
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  const options = { writer, state: { folder }, actor: { id: 'ann', via: 'cli' } };
  return { recorder: new Recorder(context, options), clock, warnings };
}

const run = { kind: 'run', component: 'uploads', data: { outcome: 'done' } } as const;

test('where neither a repository nor this host takes a record, what it tells of is done all the same, and a warning says so', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('state'), 'a file where a folder should be');
  const gone = new HoldfastError('storage-timeout', 'nobody answers');
  const { recorder, warnings } = recorderWith(dir.file('state'), async () => await Promise.reject(gone));
  await using _ = recorder;
  await recorder.record(run);
  assert.match(warnings.join('\n'), /nobody answers\n.*the record is LOST/);
});

test('a repository that could not be opened is left alone for a while, and then told all that waited', async () => {
  await using dir = await tempDir();
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  let [asked, isThere] = [0, false];
  const { recorder, clock } = recorderWith(dir.file('state'), async () => {
    asked += 1;
    if (!isThere) throw new HoldfastError('storage-timeout', 'nobody answers');
    return repository;
  });
  await using _ = recorder;
  await recorder.record(run);
  await recorder.record(run);
  assert.equal(asked, 1);
  assert.equal((await Array.fromAsync(waitingFor({ folder: dir.file('state') }, 'uploads'))).length, 2);
  isThere = true;
  clock.advance(31_000);
  await recorder.record(run);
  assert.deepEqual(await Array.fromAsync(waitingFor({ folder: dir.file('state') }, 'uploads')), []);
  const [chain] = await verifyChains(repository, { signersOf: () => undefined, heads: undefined });
  assert.equal(chain?.right, 3);
});

test('a record whose writing is interrupted waits on this host', async () => {
  await using dir = await tempDir();
  const interrupted = new AbortController();
  const open = async (): Promise<Repository> => {
    interrupted.abort();
    return await Promise.reject(new HoldfastError('interrupted', 'interrupted'));
  };
  const { recorder } = recorderWith(dir.file('state'), open, interrupted.signal);
  await using _ = recorder;
  await assert.rejects(recorder.record(run), { code: 'interrupted' });
  assert.equal((await Array.fromAsync(waitingFor({ folder: dir.file('state') }, 'uploads'))).length, 1);
});

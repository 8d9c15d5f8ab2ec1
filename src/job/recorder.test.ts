import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { HoldfastError } from '../errors/error.ts';
import { loadPolicy } from '../policy/load.ts';
import { Recorder } from './recorder.ts';

test('where neither a repository nor this host takes a record, what it tells of is done all the same, and a warning says so', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('state'), 'a file where a folder should be');
  const { policy } = loadPolicy(samplePolicy);
  assert.ok(policy);
  const warnings: string[] = [];
  const gone = new HoldfastError('storage-timeout', 'nobody answers');
  const holder = { hostname: 'here', username: 'ann', pid: 1, uid: 0, gid: 0 };
  const open = async (): Promise<never> => await Promise.reject(gone);
  const context = {
    policy,
    access: () => ({ open, holder, locking: 'none' as const }),
    clock: new ManualClock(),
    signal: new AbortController().signal,
    listener: (event: { readonly kind: string; readonly message?: string }) =>
      event.kind === 'warning' ? warnings.push(event.message ?? '') : undefined,
  };
  const writer = { id: 'here-1', signer: signerFromPem(newSignerPem()) };
  const options = { writer, state: { folder: dir.file('state') }, actor: { id: 'ann', via: 'cli' } };
  await using recorder = new Recorder(context, options);
  await recorder.record({ kind: 'run', component: 'uploads', data: { outcome: 'done' } });
  assert.match(warnings.join('\n'), /nobody answers\n.*the record is LOST/);
});

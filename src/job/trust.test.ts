import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { silent } from '../events/events.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { pinSigner, readPins } from '../record/pins.ts';
import { writerOf } from '../record/state.ts';
import type { ChainVerdict } from '../record/verdict.ts';
import { believedSigners, pinFirstSeen } from './trust.ts';

const [keyA, keyB] = ['A', 'B'].map((letter) => `${letter.repeat(43)}=`) as [string, string];

function unknownChain(writer: string, firstSigner: string): ChainVerdict {
  const verdict = { state: 'unknown', reason: 'the chain is intact; its signer is unknown' } as const;
  return { component: 'shop', writer, right: 3, firstSigner, verdict };
}

function contextIn(stateFolder: string, signers?: readonly string[]): Parameters<typeof believedSigners>[0] {
  const { policy } = loadPolicy(samplePolicy);
  assert.ok(policy);
  const own: Policy = { ...policy, signers: signers === undefined ? undefined : [...signers] };
  return { policy: own, stateFolder, listener: silent };
}

test('the first key seen of a writer is pinned, readable by its user alone, and believed from then on', async () => {
  await using dir = await tempDir();
  const context = contextIn(dir.file('state'));
  const before = await believedSigners(context);
  assert.equal(before('far'), undefined);
  const [first] = await pinFirstSeen(context, [unknownChain('far', keyA)], before);
  assert.equal(first?.verdict.state, 'unknown');
  assert.match(first.verdict.reason, /seen for the first time, and pinned from now on: A/);
  const file = dir.file('state/pinned-signers/far');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(dir.file('state/pinned-signers'))).mode & 0o777, 0o700);
  const after = await believedSigners(context);
  assert.deepEqual(after('far'), [keyA]);
  assert.equal(await pinSigner({ folder: dir.file('state') }, 'far', keyB), keyA);
  assert.equal(await readFile(file, 'utf8'), `${keyA}\n`);
});

test('the signers of the policy are believed and no others, whatever is pinned', async () => {
  await using dir = await tempDir();
  await pinSigner({ folder: dir.file('state') }, 'far', keyA);
  assert.deepEqual((await believedSigners(contextIn(dir.file('state'), [keyB])))('far'), [keyB]);
});

test('this host’s own key needs no pin', async () => {
  await using dir = await tempDir();
  const state = { folder: dir.file('state') };
  assert.deepEqual([...(await readPins(state))], []);
  const { id, signer } = await writerOf(state, 'host');
  assert.deepEqual([...(await readPins(state))], [[id, signer.publicKey]]);
});

test('chains of one writer that begin with different keys, and names that are no file’s, pin nothing', async () => {
  await using dir = await tempDir();
  const context = contextIn(dir.file('state'));
  const chains = [unknownChain('far', keyA), unknownChain('far', keyB), unknownChain('..', keyA)];
  const judged = await pinFirstSeen(context, chains, await believedSigners(context));
  const reasons = judged.map(({ verdict }) => (verdict.state === 'unknown' ? verdict.reason : verdict.state));
  assert.match(reasons[0] ?? '', /begin with different keys, A.*, B/);
  assert.match(reasons[2] ?? '', /its signer is unknown/);
  assert.deepEqual([...(await readPins({ folder: dir.file('state') }))], []);
});

test('where pins can’t be read or kept, nobody is believed, and a warning says so', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('state'), 'a file where a folder should be');
  const warnings: string[] = [];
  const context = {
    ...contextIn(dir.file('state')),
    listener: (event: { readonly kind: string; readonly message?: string }) => void warnings.push(event.message ?? ''),
  };
  const signersOf = await believedSigners(context);
  assert.equal(signersOf('far'), undefined);
  const [judged] = await pinFirstSeen(context, [unknownChain('far', keyA)], signersOf);
  assert.equal(judged?.verdict.state, 'unknown');
  assert.match(warnings.join('\n'), /can’t be read[^]*can’t be pinned/);
});

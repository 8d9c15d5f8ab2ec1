import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { resticLimits } from '../../chunking/chunker.ts';
import { randomMasterKey } from '../../crypto/key.ts';
import { SharedIndex } from '../index/shared-index.ts';
import { Outbox } from './outbox.ts';
import type { SealedPart, WorkerSetUp } from './protocol.ts';
import { Sealer, Tally } from './sealer.ts';

/** What a worker hands over of one blob, of which a bit changes in memory once its hash is known. */
function sealedOnBadMemory(
  plaintext: Uint8Array,
  extraVerify: WorkerSetUp['extraVerify'],
  mode: 'auto' | 'off',
): readonly SealedPart[] {
  const parts: SealedPart[] = [];
  const outbox = new Outbox((part) => parts.push(part));
  const setUp: WorkerSetUp = {
    table: new SharedIndex().attach(),
    key: randomMasterKey(),
    chunkerPolynomial: '3DA3358B4DC173',
    chunkLimits: resticLimits,
    largestChunk: resticLimits.maxBytes,
    // Asked for between hashing and sealing.
    compression: {
      get data() {
        plaintext[7] = (plaintext[7] ?? 0) ^ 1;
        return mode;
      },
      tree: 'auto',
    },
    extraVerify,
    output: 'send',
  };
  new Sealer(setUp, outbox).add(new Tally(), 'data', plaintext);
  outbox.flush();
  return parts;
}

for (const [what, plaintext] of [
  ['small', Buffer.from('a few words that are stored')],
  ['large', randomBytes(700_000)],
] as const) {
  for (const mode of ['auto', 'off'] as const) {
    test(`a ${what} blob that is sealed wrong, compression ${mode}, is caught, and only by extra verification`, () => {
      const seal = (extraVerify: WorkerSetUp['extraVerify']) => sealedOnBadMemory(plaintext, extraVerify, mode);
      assert.throws(() => seal('verified'), { code: 'internal', message: /this machine computes wrongly/ });
      assert.equal(seal('unverified').length, 1);
    });
  }
}

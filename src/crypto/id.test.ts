import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobIdFor, fileIdFor } from './id.ts';

test('IDs are the SHA-256 of the bytes in lower-case hex (FIPS 180-2, appendix B.1)', () => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(blobIdFor(Buffer.from('abc')), abc);
  assert.equal(fileIdFor(Buffer.from('abc')), abc);
});

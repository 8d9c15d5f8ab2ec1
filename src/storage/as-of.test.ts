import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ManualClock } from '../clock/manual-clock.ts';
import { versionNamed } from './as-of.ts';
import { VersionedMemoryStorage } from './memory-versions.ts';

test('what is larger than any object of a repository is not read to be judged', async () => {
  const storage = new VersionedMemoryStorage(new ManualClock());
  const bytes = Buffer.from('holdfast');
  const key = `data/ab/${createHash('sha256').update(bytes).digest('hex')}`;
  await storage.put(key, [bytes]);
  const [right] = await Array.fromAsync(storage.versions.list('data/'));
  assert.ok(right);
  const vast = { ...right, version: 'vast', sizeBytes: 5e12 };
  assert.deepEqual(await versionNamed(storage.versions, [vast, right], {}), right);
});

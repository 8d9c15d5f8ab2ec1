import { test } from 'node:test';
import { fuzz } from '../../../test/support/fuzzing.ts';
import { newRepository } from '../../../test/support/repository.ts';
import { fileIdOf } from '../../bytes/ids.ts';
import { encodeLock, readLocks } from './lock-file.ts';

const holder = { hostname: 'host', username: 'ann', pid: 4711, uid: 1000, gid: 1000 };

test('whatever is done to a lock, it is decoded or refused', { timeout: 3_400_000 }, async (context) => {
  await using repository = await newRepository();
  const id = fileIdOf(new Uint8Array(32));
  const decode = async (bytes: Uint8Array): Promise<void> => {
    repository.list = async function* list() {
      yield { id, sizeBytes: 1 };
    };
    repository.readFile = async () => bytes;
    for (const { lock } of await readLocks(repository)) if (lock instanceof Error) throw lock;
  };
  const sound = encodeLock({ ...holder, exclusive: true, timeNs: 1_785_000_000_123_456_789n });
  await fuzz(context, { name: 'lock', sound, decode });
});

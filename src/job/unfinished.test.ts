import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { HoldfastError } from '../errors/error.ts';
import { sayingUnfinished } from './unfinished.ts';

test('an interrupted replay sends to another folder, where the same command would be refused; any other failure stays', async () => {
  await using dir = await tempDir();
  const last = dir.file('pg_control');
  const stopping = new AbortController();
  const stopped = new HoldfastError('interrupted', 'stopped by SIGINT');
  const failing = async (error: Error): Promise<never> =>
    await sayingUnfinished(
      { folder: dir.path, last, signal: stopping.signal },
      async () => await Promise.reject(error),
    );
  await writeFile(last, '');
  const failure = new HoldfastError('replay-failed', 'it stopped');
  await assert.rejects(failing(failure), failure);
  stopping.abort(stopped);
  await assert.rejects(failing(failure), {
    code: 'interrupted',
    message: 'stopped by SIGINT',
    cause: stopped,
    next: /^Restore into another, empty folder: /,
  });
  await assert.rejects(
    sayingUnfinished({ folder: dir.path, last: dir.file('none'), signal: stopping.signal }, async () => {
      return await Promise.reject(stopped);
    }),
    stopped,
  );
});

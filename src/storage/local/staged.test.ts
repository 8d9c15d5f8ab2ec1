import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../../errors/error.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { StagedFile, type StagedFileHost } from './staged.ts';

/** Fails once after the bytes have got to the file, as when the answer is lost. */
class ForgetfulHost implements StagedFileHost {
  failures = 0;

  async attempt<T>(_doing: string, _signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
    const result = await task();
    if (this.failures === 0) return result;
    this.failures -= 1;
    throw new HoldfastError('storage-failed', 'input/output error');
  }

  async adopt(): Promise<void> {
    assert.fail('nothing is committed');
  }

  async discard(): Promise<void> {
    // The folder goes with all that is in it.
  }
}

test('what was written reads back', async () => {
  await using dir = await tempDir();
  await using staged = await StagedFile.create(new ForgetfulHost(), dir.file('staged'));
  await staged.write([Buffer.from('one '), Buffer.from('two ')]);
  await staged.write([]);
  await staged.write([Buffer.from('three')]);
  assert.equal(Buffer.from(await staged.read()).toString(), 'one two three');
});

test('a write that failed in the middle is repeated at its place', async () => {
  await using dir = await tempDir();
  const host = new ForgetfulHost();
  await using staged = await StagedFile.create(host, dir.file('staged'));
  await staged.write([Buffer.from('one ')]);
  host.failures = 1;
  await assert.rejects(staged.write([Buffer.from('two ')]), { code: 'storage-failed' });
  await staged.write([Buffer.from('two ')]);
  await staged.write([Buffer.from('three')]);
  assert.equal(Buffer.from(await staged.read()).toString(), 'one two three');
});

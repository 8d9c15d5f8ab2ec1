import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outputOf } from './output-of.ts';

const signal = new AbortController().signal;

test('the output of a program that succeeds is whole', async () => {
  assert.equal(Buffer.from(await outputOf('sh', ['-c', 'printf secret'], signal)).toString(), 'secret');
});

test('failing, not starting and writing without end are refused by name, without arguments', async () => {
  const refused = (message: string): object => ({ code: 'refused', message });
  await assert.rejects(outputOf('sh', ['-c', 'exit 2; hunter2'], signal), refused('sh ended with exit code 2'));
  const missing = "/nonexistent can't be run: no such file or directory";
  await assert.rejects(outputOf('/nonexistent', ['hunter2'], signal), refused(missing));
  await assert.rejects(
    outputOf('sh', ['-c', 'cat /dev/zero 2>/dev/null'], signal),
    refused('sh writes more than 1048576 bytes'),
  );
});

test('an aborted program ends with the reason', async () => {
  await assert.rejects(outputOf('sleep', ['1000'], AbortSignal.abort(new Error('enough'))), /enough/);
});

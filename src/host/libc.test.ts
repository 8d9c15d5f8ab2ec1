import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOk } from '../../test/support/run-program.ts';
import { cString } from './libc.ts';
import { errorCode } from './system-error.ts';

const facility = new URL('capabilities.ts', import.meta.url).href;

test('loading libc says nothing of experiments, and other warnings still appear', async () => {
  const script = `
    const { missingFacilities } = await import(${JSON.stringify(facility)});
    process.emitWarning('something else');
    process.on('warning', (warning) => console.log(warning.message));
    console.log(JSON.stringify(missingFacilities()));`;
  const output = (await runOk(process.execPath, ['--input-type=module', '-e', script])).toString();
  assert.deepEqual(output.trim().split('\n'), ['[]', 'something else']);
});

test('in a worker, too, loading libc says nothing', async () => {
  const script = `
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker('import(${JSON.stringify(facility)})', { eval: true });
    worker.on('exit', (code) => process.stdout.write('exit ' + code));`;
  const output = await runOk('sh', [
    '-c',
    `exec "$0" --input-type=module -e '${script.replaceAll("'", `'"'"'`)}' 2>&1`,
    process.execPath,
  ]);
  assert.equal(output.toString(), 'exit 0');
});

test('a path with a NUL never reaches the system cut short', () => {
  assert.throws(
    () => cString('a\0b'),
    (error) => errorCode(error) === 'EINVAL',
  );
});

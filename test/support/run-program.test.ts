import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOk, runProgram } from './run-program.ts';

const node = process.execPath;

test('a program gets its input and gives its output and exit code', async () => {
  const script = 'process.stdin.pipe(process.stdout); process.stderr.write("bad"); process.exitCode = 3';
  const { code, stdout, stderr } = await runProgram(node, ['-e', script], { input: 'hello' });
  assert.deepEqual([code, stdout.toString(), stderr], [3, 'hello', 'bad']);
  await assert.rejects(runOk(node, ['-e', script]), /ended with 3\nbad/);
});

test('a program that dies by a signal says which', async () => {
  const { code, signal } = await runProgram(node, [
    '-e',
    'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 9)',
  ]);
  assert.deepEqual([code, signal], [null, 'SIGTERM']);
});

test('a program that runs too long, says too much or does not exist is an error', async () => {
  await assert.rejects(runProgram(node, ['-e', 'setInterval(() => {}, 9)'], { timeoutMs: 200 }));
  await assert.rejects(runProgram(node, ['-e', 'console.log("x".repeat(9000))'], { maxOutputBytes: 1000 }));
  await assert.rejects(runProgram('/nonexistent/program', []), /ENOENT/);
});

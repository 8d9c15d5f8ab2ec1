import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../clock/clock.ts';
import { startProgram, type ProgramOptions } from './process.ts';
import { processIsAlive } from './users.ts';

const sh = (script: string, more: Partial<ProgramOptions> = {}): readonly [string, ProgramOptions] => [
  'sh',
  { args: ['-c', script], clock: systemClock, signal: new AbortController().signal, input: 'empty', ...more },
];

async function textOf(output: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(output)).toString();
}

test('output, exit code and the last lines of standard error are handed over', async () => {
  const told: string[] = [];
  const script = 'echo out; seq 1 30 >&2; exit 3';
  await using program = await startProgram(...sh(script, { onErrorLine: (line) => told.push(line) }));
  assert.equal(await textOf(program.output), 'out\n');
  const { status, how, lastWords } = await program.ended;
  assert.deepEqual([status, how, lastWords.length, lastWords.at(-1)], ['failure', 'exit code 3', 20, '30']);
  assert.equal(told.length, 30);
});

test('a signal is a failure with its name', async () => {
  await using program = await startProgram(...sh('kill -TERM $$'));
  assert.deepEqual(await program.ended, {
    status: 'failure',
    how: 'killed by SIGTERM',
    code: undefined,
    lastWords: [],
  });
});

test('a program that is not there is an error without its arguments, in text and in every property', async () => {
  const [, options] = sh('');
  const starting = startProgram('/nonexistent/program', { ...options, args: ['--password=hunter2'] });
  const error = await starting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  assert.match(error.message, /no such file or directory, starting \/nonexistent\/program/);
  assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /hunter2/);
});

test('a large output waits for its reader', async () => {
  await using program = await startProgram(...sh('head -c 20000000 /dev/zero'));
  let bytes = 0;
  for await (const chunk of program.output) bytes += chunk.length;
  assert.deepEqual([bytes, (await program.ended).status], [20_000_000, 'success']);
});

test('disposing and aborting kill the program', async () => {
  const abort = new AbortController();
  const first = await startProgram(...sh('echo $$; exec sleep 1000', { signal: abort.signal }));
  const iterator = first.output[Symbol.asyncIterator]();
  const pid = Number(Buffer.from((await iterator.next()).value ?? []).toString());
  assert.ok(processIsAlive(pid));
  abort.abort();
  assert.equal((await first.ended).how, 'killed by SIGKILL');
  assert.ok(!processIsAlive(pid));
  const second = await startProgram(...sh('exec sleep 1000'));
  await second[Symbol.asyncDispose]();
  assert.equal((await second.ended).how, 'killed by SIGKILL');
});

test('what a program leaves running does not keep its end from being known', async () => {
  const script = 'sleep 1000 >/dev/null & echo $!; exec >&-; exit 0';
  await using program = await startProgram(...sh(script, { onErrorLine: () => undefined }));
  const left = Number(await textOf(program.output));
  assert.equal((await program.ended).status, 'success');
  process.kill(left);
});

test('what is written to a piped input is read by the program', async () => {
  await using program = await startProgram(...sh('cat; echo end', { input: 'piped' }));
  program.input?.write('hello ');
  program.input?.end('world\n');
  assert.equal(await textOf(program.output), 'hello world\nend\n');
});

test('an interrupt of the terminal does not end a program that ignores it or has a session of its own', async () => {
  for (const interrupts of ['ignored', 'own-session'] as const) {
    await using program = await startProgram(
      ...sh('echo $$; cat >/dev/null; echo alive', { input: 'piped', interrupts }),
    );
    const iterator = program.output[Symbol.asyncIterator]();
    const pid = Number(Buffer.from((await iterator.next()).value ?? []).toString());
    const session = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(' ')[5];
    if (interrupts === 'ignored') process.kill(pid, 'SIGINT');
    else assert.equal(session, String(pid));
    program.input?.end();
    assert.equal(Buffer.from((await iterator.next()).value ?? []).toString(), 'alive\n');
  }
});

test('a program with a session of its own is killed with what it has started, where that is wanted', async () => {
  const script = 'sleep 1000 & echo $!; wait';
  const program = await startProgram(...sh(script, { interrupts: 'own-session', kills: 'session' }));
  let started = 0;
  for await (const chunk of program.output) {
    started = Number(Buffer.from(chunk).toString());
    break;
  }
  assert.ok(processIsAlive(started));
  await program[Symbol.asyncDispose]();
  while (await runs(started)) await systemClock.sleep(10);
});

/** A dead one that nobody waits for, as in a container, still has its number. */
async function runs(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) Z /.test(text);
}

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { codes } from '../src/errors/codes.ts';
import { allCommands, unsupportedCommands } from '../src/cli/commands.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram, type RunOptions, type RunResult } from './support/run-program.ts';
import { jsonLines, scene } from './support/scene.ts';
import { tempDir } from './support/temp-dir.ts';

/** Without any variable that would name a repository. */
async function holdfast(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const unset = { RESTIC_REPOSITORY: undefined, RESTIC_PASSWORD: undefined };
  return await runProgram(holdfastProgram, args, { ...options, env: { ...unset, ...options.env } });
}

test('the launcher works through links, from any folder, whatever node the system has', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('bin'));
  writeFileSync(dir.file('bin/node'), '#!/bin/sh\necho an old node >&2\nexit 9\n');
  chmodSync(dir.file('bin/node'), 0o755);
  symlinkSync(holdfastProgram, dir.file('bin/first'));
  symlinkSync('first', dir.file('bin/second'));
  const env = { PATH: `${dir.file('bin')}:${process.env['PATH'] ?? ''}` };
  const { code, stdout, stderr } = await runProgram('second', ['version'], { cwd: dir.path, env });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout.toString(), /^holdfast \d+\.\d+\.\d+ with Node v26\./);
});

test('no experimental warning reaches a user, and version has no need of a home', async () => {
  const { stderr, code } = await holdfast(['version', '--json'], {
    env: { HOME: undefined, XDG_CACHE_HOME: '/dev/null/no' },
  });
  assert.deepEqual([code, stderr], [0, '']);
});

test('a command that needs no repository answers in less than 0.15 s (the fastest of at most forty: other tests run beside it)', async (context) => {
  const times: number[] = [];
  for (let run = 0; run < 40 && (times.length < 5 || Math.min(...times) >= 150); run += 1) {
    const started = performance.now();
    await holdfast(['version']);
    times.push(performance.now() - started);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  context.diagnostic(
    `of ${sorted.length} runs the fastest ${sorted[0]?.toFixed(0)} ms, median ${median?.toFixed(0)} ms`,
  );
  assert.ok((sorted[0] ?? Infinity) < 150, `the fastest took ${sorted[0]} ms`);
});

test('every command explains itself, with examples before anything else', async () => {
  const commands = await allCommands();
  assert.ok(commands.length >= 24);
  const { stdout } = await holdfast(['--help']);
  for (const { name } of commands) assert.match(stdout.toString(), new RegExp(`^  ${name} `, 'm'));
  for (const { name, summary, examples } of commands) {
    assert.ok(examples.length > 0, `${name} has an example`);
    for (const { line } of examples) assert.match(line, /\bholdfast\b/);
    assert.ok(summary.length > 0 && !summary.endsWith('.'));
  }
  for (const args of [
    ['backup', '--help'],
    ['-h', 'backup'],
    ['help', 'backup'],
  ]) {
    const { code, stdout: text } = await holdfast(args);
    assert.equal(code, 0);
    assert.match(text.toString(), /^Back up files[^\n]*\n\nExamples:\n {2}holdfast backup /);
  }
});

test('restic’s commands that are not here answer "unsupported" by name', async (context) => {
  for (const name of unsupportedCommands) {
    await context.test(name, async () => {
      const { code, stderr } = await holdfast([name]);
      assert.equal(code, 2);
      assert.ok(stderr.includes(`\`${name}\` is not supported by this version`));
    });
  }
});

test('usage errors exit with 2 and name the nearest right word', async (context) => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['bakup'], /unknown command "bakup"; did you mean `backup`\?/],
    [['backup', '--exlude', 'x', '/'], /unknown option --exlude; did you mean --exclude\?/],
    [['-r', '/nowhere', 'ls'], /ls: an argument is missing: holdfast ls SNAPSHOT/],
    [['version', 'x'], /"x" is one argument too many/],
    [['key'], /key: which one\? key list · key add · key remove · key passwd/],
    [['snapshots'], /which repository\?/],
    [
      ['-r', '/nowhere', 'prune', '--unsafe-recover-no-free-space', 'x'],
      /--unsafe-recover-no-free-space is not supported by this version/,
    ],
    [['-r', '/nowhere', '--limit-upload', '5k', 'snapshots'], /--limit-upload: "5k" is not a whole number/],
    [
      ['-r', '/nowhere', '--insecure-no-password', '-o', 's3.x', 'snapshots'],
      /--option: "s3.x" is not an option and its value such as s3.region=/,
    ],
    [['-q', '-v', 'version'], /--quiet and --verbose can’t stand together/],
    [['-r', 'swift:x:/y', 'snapshots', '--insecure-no-password'], /swift/],
    [['-r', '/x', '--compression', 'fast', 'snapshots'], /--compression: "fast" is not one of auto, off/],
    [['-r', '/x', '--repository-file', '/y', 'snapshots'], /--repo and --repository-file can’t stand together/],
    [['-r', '/x', '-p', '/y', '--password-command', 'z', 'snapshots'], /--password-file and --password-command can’t/],
  ];
  for (const [args, message] of cases) {
    await context.test(args.join(' '), async () => {
      const { code, stderr, stdout } = await holdfast(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout.length, 0);
    });
  }
});

test('an error names its code and its page, and with --json it is one record', async () => {
  const text = await holdfast(['-r', '/nowhere/at/all', '--insecure-no-password', 'snapshots']);
  assert.equal(text.code, 10);
  assert.match(
    text.stderr,
    /^holdfast: there is no repository[^\n]*\n {2}Check the address[^\n]*\n {2}\(no-repository: docs\/errors\/no-repository\.md\)\n$/,
  );
  const json = await holdfast(['-r', '/nowhere/at/all', '--insecure-no-password', 'snapshots', '--json']);
  const [record] = jsonLines(json.stderr);
  assert.equal(record?.['message_type'], 'exit_error');
  assert.equal(record?.['code'], 10);
  assert.equal(record?.['error_code'], 'no-repository');
  for (const code of Object.keys(codes))
    assert.ok(existsSync(new URL(`../docs/errors/${code}.md`, import.meta.url)), code);
});

test('exit codes: 0 done, 1 failed, 3 in part, 10 no repository, 12 wrong password', async () => {
  await using on = await scene();
  const id = await on.backup(on.source);
  const expected: readonly (readonly [args: readonly string[], code: number, env?: RunOptions['env']])[] = [
    [['snapshots', id], 0],
    [['snapshots', 'ffffffff'], 1],
    [['backup', on.source, `${on.source}/missing`], 3],
    [['backup', `${on.source}/missing`], 1],
  ];
  for (const [args, code] of expected) assert.equal((await on.run(args)).code, code, args.join(' '));
  assert.equal((await holdfast(['-r', on.at.repository, 'snapshots'], { env: { RESTIC_PASSWORD: 'wrong' } })).code, 12);
  assert.equal((await holdfast(['-r', on.dir.file('none'), 'snapshots'], { env: { RESTIC_PASSWORD: 'x' } })).code, 10);
});

test('completion comes from the definitions and is valid for its shell', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await holdfast(['completion', shell]);
    assert.equal(code, 0);
    const script = stdout.toString();
    for (const word of ['snapshots', 'keep-quarterly', 'if-newer'])
      assert.ok(script.includes(word), `${shell}: ${word}`);
    assert.ok(!script.includes('unsafe-recover'), 'what is unsupported is not offered');
  }
  const { stdout } = await holdfast(['completion', 'bash']);
  const ask = `${stdout.toString()}\nCOMP_WORDS=(holdfast restore --over); COMP_CWORD=2; _holdfast; echo "\${COMPREPLY[@]}"`;
  assert.equal((await runProgram('bash', ['-c', ask])).stdout.toString().trim(), '--overwrite');
  const words = `${stdout.toString()}\nCOMP_WORDS=(holdfast key ""); COMP_CWORD=2; _holdfast; echo "\${COMPREPLY[@]}"`;
  assert.equal((await runProgram('bash', ['-c', words])).stdout.toString().trim(), 'list add remove passwd');
});

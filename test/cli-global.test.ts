import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram, type RunOptions, type RunResult } from './support/run-program.ts';
import { jsonLines, scene, type Scene } from './support/scene.ts';

/** With nothing but what is given to say where the repository is and what its password is. */
async function holdfast(
  args: readonly string[],
  env: RunOptions['env'] = {},
  options: RunOptions = {},
): Promise<RunResult> {
  const unset = { RESTIC_REPOSITORY: undefined, RESTIC_PASSWORD: undefined };
  return await runProgram(holdfastProgram, [...args], { ...options, env: { ...unset, ...env } });
}

async function succeeds(
  args: readonly string[],
  env: RunOptions['env'] = {},
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await holdfast(args, env, options);
  assert.equal(code, 0, `${args.join(' ')}\n${stderr}`);
  return stdout.toString();
}

/** A scene with one snapshot, and files that hold its address and password. */
async function opened(): Promise<Scene & { readonly id: string }> {
  const on = await scene();
  writeFileSync(on.dir.file('address'), `${on.at.repository}\n`);
  writeFileSync(on.dir.file('password'), `${on.at.password}\n`);
  writeFileSync(on.dir.file('wrong'), 'wrong\n');
  return Object.assign(on, { id: await on.backup(on.source) });
}

test('the repository is named by a flag, a file or the environment', async () => {
  await using on = await opened();
  const env = { RESTIC_PASSWORD: on.at.password };
  const address = on.dir.file('address');
  const command = ['--no-cache', 'list', 'snapshots'];
  const ways: readonly (readonly [args: readonly string[], env: RunOptions['env']])[] = [
    [['-r', on.at.repository], {}],
    [['--repo', `local:${on.at.repository}`], {}],
    [['--repository-file', address], {}],
    [[], { RESTIC_REPOSITORY: on.at.repository }],
    [[], { RESTIC_REPOSITORY_FILE: address }],
    [['-r', on.at.repository], { RESTIC_REPOSITORY: '/nowhere' }],
    [['-r', on.at.repository], { RESTIC_REPOSITORY_FILE: '/nowhere' }],
    [['--repository-file', address], { RESTIC_REPOSITORY: '/nowhere' }],
  ];
  for (const [args, more] of ways)
    assert.equal(await succeeds([...args, ...command], { ...env, ...more }), `${on.id}\n`);
  assert.equal(await succeeds([...command, '-r', on.at.repository], env), `${on.id}\n`, 'also after the command');
  const both = await holdfast(command, { ...env, RESTIC_REPOSITORY: '/x', RESTIC_REPOSITORY_FILE: '/y' });
  assert.equal(both.code, 2);
});

test('the password comes from a file, a command, the environment or standard input', async () => {
  await using on = await opened();
  const password = on.dir.file('password');
  const command = ['--no-cache', '-r', on.at.repository, 'list', 'snapshots'];
  const ways: readonly (readonly [args: readonly string[], env: RunOptions['env']])[] = [
    [['-p', password], {}],
    [['--password-file', password], { RESTIC_PASSWORD: 'wrong' }],
    [['--password-command', `cat "${password}"`], {}],
    [[], { RESTIC_PASSWORD: on.at.password }],
    [[], { RESTIC_PASSWORD_FILE: password }],
    [[], { RESTIC_PASSWORD_COMMAND: `cat ${password}` }],
    [['-p', password], { RESTIC_PASSWORD_COMMAND: 'false' }],
  ];
  for (const [args, env] of ways) assert.equal(await succeeds([...command, ...args], env), `${on.id}\n`);
  assert.equal(await succeeds(command, {}, { input: `${on.at.password}\nnot this` }), `${on.id}\n`);
  assert.equal((await holdfast([...command, '-p', on.dir.file('wrong')])).code, 12);
  assert.equal((await holdfast([...command, '--password-command', 'false'])).code, 1);
  assert.equal((await holdfast(command, {}, { input: '\n' })).code, 2);
});

test('an empty password is taken only when asked for by name', async () => {
  await using on = await scene();
  const at = ['--no-cache', '-r', on.dir.file('open')];
  await succeeds([...at, 'init', '--insecure-no-password']);
  assert.equal(await succeeds([...at, 'list', 'snapshots', '--insecure-no-password']), '');
  assert.equal(
    (await holdfast([...at, 'list', 'snapshots', '--insecure-no-password'], { RESTIC_PASSWORD: 'x' })).code,
    2,
  );
});

test('--key-hint says which key is tried first', async () => {
  await using on = await scene();
  writeFileSync(on.dir.file('second'), 'second');
  await on.ok('key', 'add', '--new-password-file', on.dir.file('second'), '--user', 'second');
  const keys = await on.records('key', 'list');
  const [second] = keys.filter((key) => key['userName'] === 'second');
  const args = ['--no-cache', '-r', on.at.repository, 'key', 'list', '--json'];
  for (const [extra, env] of [
    [['--key-hint', String(second?.['id'])], {}],
    [[], { RESTIC_KEY_HINT: String(second?.['id']) }],
  ] as const) {
    const [current] = jsonLines(await succeeds([...args, ...extra], { RESTIC_PASSWORD: 'second', ...env })).filter(
      (key) => key['current'],
    );
    assert.equal(current?.['userName'], 'second');
  }
  assert.equal(
    (await holdfast([...args, '--key-hint', String(second?.['id'])], { RESTIC_PASSWORD: on.at.password })).code,
    0,
  );
});

test('--no-lock reads beside any lock, and --retry-lock waits for it', async () => {
  await using on = await opened();
  await on.ok('list', 'locks');
  const locks = join(on.at.repository, 'locks');
  await using holder = await lockedBy(on);
  assert.equal(namesIn(locks).length, 1);
  assert.equal((await on.run(['prune'])).code, 11);
  assert.equal((await on.run(['prune', '--no-lock'])).code, 2, 'what changes the repository takes its lock');
  assert.equal((await on.run(['check', '--no-lock'])).code, 0);
  assert.equal((await on.run(['prune', '--dry-run', '--no-lock'])).code, 0);
  const waiting = on.run(['prune', '--retry-lock', '1m', '--json']);
  await holder.end();
  assert.equal((await waiting).code, 0);
  assert.equal(namesIn(locks).length, 0);
});

/** Another Holdfast that holds a shared lock until it is told to end: a backup that waits for its input. */
async function lockedBy(on: Scene): Promise<AsyncDisposable & { readonly end: () => Promise<void> }> {
  const env = { ...process.env, RESTIC_REPOSITORY: on.at.repository, RESTIC_PASSWORD: on.at.password };
  const child = spawn(holdfastProgram, ['--no-cache', '--json', 'backup', '--stdin', '-v'], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close', { signal: AbortSignal.timeout(300_000) });
  const end = async (): Promise<void> => {
    child.stdin.end('data');
    await closed;
  };
  const folder = join(on.at.repository, 'locks');
  await new Promise<void>((resolve) => {
    child.stdout.on('data', () => (namesIn(folder).length > 0 ? resolve() : undefined));
  });
  return { end, [Symbol.asyncDispose]: end };
}

/** Folders of a repository are made when they are needed. */
function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

test('a signal ends a command in order: exit code 130, no lock left', async (context) => {
  // What SIGHUP does is told in test/locks.test.ts.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    await context.test(name, async () => {
      await using on = await scene();
      const env = { ...process.env, RESTIC_REPOSITORY: on.at.repository, RESTIC_PASSWORD: on.at.password };
      const child = spawn(holdfastProgram, ['--no-cache', '--json', 'backup', '--stdin'], {
        env,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const closed = once(child, 'close', { signal: AbortSignal.timeout(300_000) });
      const folder = join(on.at.repository, 'locks');
      let asked = false;
      child.stdout.on('data', () => {
        if (asked || namesIn(folder).length === 0) return;
        asked = true;
        child.kill(name);
      });
      let said = '';
      child.stderr.on('data', (text: Buffer) => (said += text.toString()));
      await closed;
      assert.equal(child.exitCode, 130, said);
      assert.equal(jsonLines(said).at(-1)?.['error_code'], 'interrupted');
      assert.deepEqual([namesIn(folder), namesIn(join(on.at.repository, 'snapshots'))], [[], []]);
    });
  }
});

test('the cache is where --cache-dir or RESTIC_CACHE_DIR says, and --no-cache makes none', async () => {
  await using on = await opened();
  const env = {
    RESTIC_REPOSITORY: on.at.repository,
    RESTIC_PASSWORD: on.at.password,
    XDG_CACHE_HOME: on.dir.file('home'),
  };
  await succeeds(['snapshots', '--no-cache'], env);
  assert.deepEqual(cachesIn(on.dir.file('home')), []);
  await succeeds(['snapshots'], env);
  assert.equal(cachesIn(on.dir.file('home')).length, 1);
  await succeeds(['snapshots', '--cache-dir', on.dir.file('flag')], env);
  assert.equal(cachesIn(on.dir.file('flag')).length, 1);
  await succeeds(['snapshots'], { ...env, RESTIC_CACHE_DIR: on.dir.file('variable') });
  assert.equal(cachesIn(on.dir.file('variable')).length, 1);
  assert.match(await succeeds(['cache', '--cache-dir', on.dir.file('flag')], env), /1 cache in/);
  assert.match(await succeeds(['cache', '--cleanup', '--cache-dir', on.dir.file('flag')], env), /no cache is that old/);
  assert.match(
    await succeeds(['cache', '--cleanup', '--max-age', '0', '--cache-dir', on.dir.file('flag')], env),
    /removed 1 cache/,
  );
  assert.deepEqual(cachesIn(on.dir.file('flag')), []);
});

function cachesIn(folder: string): readonly string[] {
  const own = join(folder, 'holdfast');
  return existsSync(own) ? readdirSync(own).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
}

test('--quiet says nothing, --verbose says more, twice says each item', async () => {
  await using on = await opened();
  assert.equal(await on.ok('backup', on.source, '-q'), '');
  const plain = await on.ok('backup', on.source);
  assert.match(plain, /^Files: /m);
  assert.doesNotMatch(plain, /measured/);
  assert.match(await on.ok('backup', on.source, '-v'), /measured: 4 files/);
  for (const args of [['-vv'], ['-v', '-v'], ['--verbose=2']]) {
    assert.match(await on.ok('backup', on.source, '--force', ...args), /^new .*a\.txt, saved in/m);
  }
});

test('RESTIC_PROGRESS_FPS says how often progress is told, where nobody would see it too', async () => {
  await using on = await opened();
  const statuses = async (env: NonNullable<RunOptions['env']>, ...args: readonly string[]): Promise<number> => {
    const { stdout } = await on.run(['--json', ...args, 'backup', on.source], { env });
    return jsonLines(stdout.toString()).filter((one) => one['message_type'] === 'status').length;
  };
  assert.equal(await statuses({}, '-q'), 0);
  assert.ok((await statuses({ RESTIC_PROGRESS_FPS: '60' }, '-q')) > 1);
  const text = await on.run(['backup', on.source, '--force'], { env: { RESTIC_PROGRESS_FPS: '60' } });
  assert.equal(text.code, 0);
});

test('no secret gets into output or errors', async () => {
  await using on = await scene();
  mkdirSync(on.dir.file('empty'));
  const secret = 'hunter2-very-secret';
  for (const args of [
    ['snapshots', '-v'],
    ['--json', 'snapshots', '-v'],
    ['-r', on.dir.file('empty'), 'check', '-vv'],
    ['cat', 'x'],
  ]) {
    const { stdout, stderr, code } = await holdfast(['-r', on.at.repository, '--no-cache', ...args], {
      RESTIC_PASSWORD: secret,
    });
    assert.notEqual(code, 0);
    assert.ok(!`${stdout.toString()}${stderr}`.includes(secret));
  }
});

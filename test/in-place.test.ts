import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { definedOf, holdfastProgram } from './support/holdfast.ts';
import { runProgram, type RunResult } from './support/run-program.ts';
import { served } from './support/served.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

interface Site {
  readonly dir: TempDir;
  /** The real program. */
  readonly started: Site['run'];
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<RunResult>;
  readonly ok: (...args: readonly string[]) => Promise<string>;
  /** What the stop and start commands wrote: 'stop' or 'start' a call. */
  readonly calls: () => Promise<readonly string[]>;
  readonly live: (name: string) => Promise<string>;
}

/** A component with two paths, backed up, then spoiled; its service is a pair of scripts. */
async function site(dir: TempDir, restore: string): Promise<Site> {
  await mkdir(dir.file('srv/data/deep'), { recursive: true });
  await writeFile(dir.file('srv/data/deep/file'), 'good\n');
  await writeFile(dir.file('srv/settings'), 'good\n');
  await writeFile(dir.file('password'), 'kanarienvogel');
  for (const word of ['stop', 'start']) {
    // A file `kill-WORD` has the command kill the program that runs it, once.
    const kill = `if [ -e ${dir.file(`kill-${word}`)} ]; then rm ${dir.file(`kill-${word}`)}; kill -9 $PPID; fi`;
    await writeFile(dir.file(word), `#!/bin/sh\necho ${word} >> ${dir.file('calls')}\n${kill}\n`);
    await chmod(dir.file(word), 0o755);
  }
  const policy = `version: 1
repositories: { near: { url: ${dir.file('near')}, password: { file: ${dir.file('password')} } } }
components:
  shop:
    files: { paths: [${dir.file('srv/data')}, ${dir.file('srv/settings')}] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } } } } }
    restore: ${restore.replaceAll('DIR', dir.path)}
`;
  await writeFile(dir.file('holdfast.yaml'), policy);
  const all = (args: readonly string[]): readonly string[] => ['--no-cache', '--state-dir', dir.file('state'), ...args];
  const started: Site['started'] = async (args, more = {}) =>
    await runProgram(holdfastProgram, all(args), { cwd: dir.path, env: { ...without, ...more } });
  const run: Site['run'] = async (args, more = {}) =>
    await served({ args: all(args), cwd: dir.path, env: definedOf({ ...process.env, ...without, ...more }) });
  const at: Site = {
    dir,
    started,
    run,
    ok: async (...args) => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout.toString()}`);
      return stdout.toString();
    },
    calls: async () => (await readFile(dir.file('calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
    live: async (name) => await readFile(dir.file(`srv/${name}`), 'utf8'),
  };
  await cheapRepository(dir.file('near'), 2, 'kanarienvogel');
  await at.ok('backup', 'shop');
  await writeFile(dir.file('srv/data/deep/file'), 'spoiled\n');
  await writeFile(dir.file('srv/data/new'), 'new\n');
  await writeFile(dir.file('srv/settings'), 'spoiled\n');
  return at;
}

const without = { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined };

const pair = '{ stop: DIR/stop, start: DIR/start }';

async function assertRestored({ live, dir }: Site): Promise<void> {
  assert.equal(await live('data/deep/file'), 'good\n');
  assert.equal(await live('settings'), 'good\n');
  await assert.rejects(stat(dir.file('srv/data/new')), { code: 'ENOENT' });
}

async function assertSpoiled({ live }: Site): Promise<void> {
  assert.equal(await live('data/deep/file'), 'spoiled\n');
  assert.equal(await live('data/new'), 'new\n');
  assert.equal(await live('settings'), 'spoiled\n');
}

async function namesBeside({ dir }: Site): Promise<readonly string[]> {
  return (await readdir(dir.file('srv'))).toSorted();
}

test('a component comes back in its place; what was there is kept until confirmed, and in a safety backup', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  assert.match(
    await at.ok('restore', 'shop', '--in-place', '--dry-run'),
    /restore-0[^]*stop[^]*safety[^]*switch-0[^]*start/,
  );
  await assertSpoiled(at);
  assert.deepEqual(await at.calls(), []);
  assert.match(await at.ok('restore', 'shop', '--in-place'), /holdfast confirm [0-9a-f]{12}/);
  await assertRestored(at);
  assert.deepEqual(await at.calls(), ['stop', 'start']);
  assert.equal((await at.run(['restore', 'shop', '--in-place'])).code, 1);
  assert.match(await at.ok('plan', 'list'), /finished/);
  await at.ok('confirm');
  await assertRestored(at);
  assert.deepEqual(await namesBeside(at), ['data', 'settings']);
  const near = { RESTIC_REPOSITORY: dir.file('near'), RESTIC_PASSWORD_FILE: dir.file('password') };
  const target = dir.file('saved');
  const saved = ['restore', 'latest', '--tag', 'hf.safety=shop', '--target', target];
  assert.equal((await at.run(saved, near)).code, 0);
  assert.equal(await readFile(join(target, dir.file('srv/settings')), 'utf8'), 'spoiled\n');
  assert.match(await at.ok('records', '--kind', 'restore'), /confirmed/);
  assert.notEqual((await at.run(['undo'])).code, 0);
});

test('undo brings back what was replaced, and starts what it stopped', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  await at.ok('restore', 'shop', '--in-place');
  assert.match(await at.ok('undo'), /as it was before/);
  await assertSpoiled(at);
  assert.deepEqual(await at.calls(), ['stop', 'start', 'stop', 'start']);
  assert.deepEqual(await namesBeside(at), ['data', 'settings']);
});

test('killed by its own stop or start command, it goes on where it was; the service runs in the end', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  await writeFile(dir.file('kill-stop'), '');
  await writeFile(dir.file('kill-start'), '');
  assert.equal((await at.started(['restore', 'shop', '--in-place'])).signal, 'SIGKILL');
  await assertSpoiled(at);
  const backup = await at.run(['backup', 'shop']);
  assert.equal(backup.code, 1);
  assert.match(backup.stderr, /shop is just being restored in place/);
  assert.equal((await at.started(['restore', 'shop', '--in-place'])).signal, 'SIGKILL');
  await at.ok('restore', 'shop', '--in-place');
  await assertRestored(at);
  assert.deepEqual(await at.calls(), ['stop', 'stop', 'start', 'start']);
  await writeFile(dir.file('kill-stop'), '');
  assert.equal((await at.started(['undo'])).signal, 'SIGKILL');
  await at.ok('undo');
  await assertSpoiled(at);
});

test('killed as an entry of its journal appears, whichever, it goes on', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  for (const entries of [2, 5, 9]) {
    const args = ['--no-cache', '--state-dir', dir.file('state'), 'restore', 'shop', '--in-place'];
    const child = spawn(holdfastProgram, args, { cwd: dir.path, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const plansBefore = (await readdir(dir.file('state/plans')).catch(() => [])).length;
    let gone = false;
    void ended.then(() => (gone = true));
    while (!gone && (await entriesOf(at, plansBefore)) < entries) await systemClock.sleep(1);
    child.kill('SIGKILL');
    await ended;
    const { code } = await at.run(['restore', 'shop', '--in-place']);
    // Killed after its last entry, it has nothing left to do, and says so.
    assert.ok(code === 0 || (code === 1 && (await at.ok('plan', 'list')).includes('finished')), `killed at ${entries}`);
    await assertRestored(at);
    await at.ok('undo');
    await assertSpoiled(at);
    assert.deepEqual(await namesBeside(at), ['data', 'settings']);
  }
});

/** Of the newest plan. */
async function entriesOf({ dir }: Site, before: number): Promise<number> {
  const plans = await readdir(dir.file('state/plans')).catch(() => []);
  const counts = await Promise.all(
    plans
      .filter((name) => !name.endsWith('.lock'))
      .map(async (name) => {
        const names = await readdir(dir.file(`state/plans/${name}`));
        const own = await stat(dir.file(`state/plans/${name}`));
        return { made: own.birthtimeMs, entries: names.filter((one) => /^\d{6}\.json$/.test(one)).length };
      }),
  );
  if (plans.length <= before) return 0;
  return counts.toSorted((a, b) => b.made - a.made)[0]?.entries ?? 0;
}

test('where the service is not healthy afterwards, all is brought back and it runs again', async () => {
  await using dir = await tempDir();
  let healthy = false;
  const server = createServer((_request, response) => response.writeHead(healthy ? 200 : 503).end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const health = `health: "http://127.0.0.1:${address.port}/health", within: 2s`;
  const at = await site(dir, pair.replace('}', `, ${health} }`));
  try {
    const { code, stdout } = await at.run(['restore', 'shop', '--in-place']);
    assert.equal(code, 1);
    assert.match(stdout.toString(), /health took longer than 2000 ms[^]*as it was before/);
    await assertSpoiled(at);
    assert.deepEqual(await at.calls(), ['stop', 'start', 'stop', 'start']);
    healthy = true;
    await at.ok('restore', 'shop', '--in-place');
    await assertRestored(at);
  } finally {
    server.close();
  }
});

test('a unit of systemd is stopped and started by systemctl', async () => {
  await using dir = await tempDir();
  const at = await site(dir, '{ service: shop.service }');
  await mkdir(dir.file('bin'));
  const [calls, state] = [dir.file('calls'), dir.file('state-of-unit')];
  await writeFile(state, 'active\n');
  const script = `#!/bin/sh
case "$1" in
  show) [ "$2 $3 $4 $5" = "--property=ActiveState --value -- shop.service" ] && cat ${state} ;;
  --no-ask-password) [ "$3 $4" = "-- shop.service" ] || exit 1
    echo "$2" >> ${calls}
    if [ "$2" = stop ]; then echo inactive > ${state}; else echo active > ${state}; fi ;;
  *) exit 1 ;;
esac
`;
  await writeFile(dir.file('bin/systemctl'), script);
  await chmod(dir.file('bin/systemctl'), 0o755);
  const env = { PATH: `${dir.file('bin')}:${process.env['PATH']}` };
  assert.equal((await at.started(['restore', 'shop', '--in-place'], env)).code, 0);
  await assertRestored(at);
  assert.deepEqual(await at.calls(), ['stop', 'start']);
});

test('a restore that wants approval waits for another person, and then runs as it was approved', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair.replace('}', ', approval: another-person }'));
  const [ann, bob] = [{ SUDO_USER: 'ann' }, { SUDO_USER: 'bob' }];
  const waiting = await at.run(['restore', 'shop', '--in-place'], ann);
  assert.equal(waiting.code, 6);
  const hash = /holdfast approve ([0-9a-f]{12})/.exec(waiting.stderr)?.[1] ?? '';
  await assertSpoiled(at);
  assert.equal((await at.run(['approve', hash], ann)).code, 1);
  assert.equal((await at.run(['approve', hash], bob)).code, 0);
  assert.equal((await at.run(['restore', 'shop', '--in-place'], ann)).code, 0);
  await assertRestored(at);
  assert.match(await at.ok('records', '--kind', 'approval'), /by bob/);
});

test('what is gone comes back; where the service can not be stopped nothing is touched', async () => {
  await using dir = await tempDir();
  const at = await site(dir, '{ stop: "false", start: DIR/start }');
  assert.equal((await at.run(['restore', 'shop', '--in-place'])).code, 1);
  await assertSpoiled(at);
  await rm(dir.file('srv/data'), { recursive: true });
  await rm(dir.file('srv/settings'));
  await writeFile(
    dir.file('holdfast.yaml'),
    (await readFile(dir.file('holdfast.yaml'), 'utf8')).replace(/ {4}restore:.*/, ''),
  );
  await at.ok('restore', 'shop', '--in-place', '--no-safety-backup');
  await assertRestored(at);
});

test('what another plan keeps below a path is not moved along: that plan comes first', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const inner = `  inner:
    files: { paths: [${dir.file('srv/data/deep')}] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } } } } }
`;
  await writeFile(dir.file('holdfast.yaml'), `${policy}${inner}`);
  await at.ok('backup', 'inner');
  await at.ok('restore', 'inner', '--in-place');
  const refused = await at.run(['restore', 'shop', '--in-place']);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /plan [0-9a-f]{12} \(inner in place.*\) keeps what was replaced in .*\/srv\/data\/\.holdfast-/,
  );
  await at.ok('confirm');
  await at.ok('restore', 'shop', '--in-place');
  await at.ok('restore', 'inner', '--in-place');
  const [, shop = ''] = /^([0-9a-f]{12}) .*shop in place/m.exec(await at.ok('plan', 'list')) ?? [];
  const undone = await at.run(['undo', shop]);
  assert.equal(undone.code, 1);
  assert.match(undone.stdout.toString(), /\(inner in place.*\) keeps what was replaced/);
  const [, nested = ''] = /^([0-9a-f]{12}) .*inner in place.*finished/m.exec(await at.ok('plan', 'list')) ?? [];
  await at.ok('confirm', nested);
  await at.ok('undo', shop);
  assert.equal(await at.live('settings'), 'spoiled\n');
});

test('a path inside another one comes back with it', async () => {
  await using dir = await tempDir();
  const at = await site(dir, pair);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  await writeFile(
    dir.file('holdfast.yaml'),
    policy.replace('settings]', 'settings, DIR/srv/data/deep]'.replace('DIR', dir.path)),
  );
  await at.ok('restore', 'shop', '--in-place');
  await assertRestored(at);
});

import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { definedOf, holdfastProgram, outputOf } from './support/holdfast.ts';
import { runProgram, type RunResult } from './support/run-program.ts';
import { served } from './support/served.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepositories } from './support/two-tools.ts';

const secret = 'kanarienvogel';

interface Team {
  readonly dir: TempDir;
  readonly run: (...args: readonly string[]) => Promise<RunResult>;
  /** Its standard output; fails with its words unless it exits with 0. */
  readonly ok: (...args: readonly string[]) => Promise<string>;
}

/** Some files, and a policy about them and two repositories. */
async function team(dir: TempDir, components: string): Promise<Team> {
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'first\n');
  await writeFile(dir.file('password'), secret);
  const repository = (name: string, more = ''): string =>
    `{ url: ${dir.file(name)}, password: { file: ${dir.file('password')} }${more} }`;
  const text = `version: 1
repositories:
  near: ${repository('near')}
  far: ${repository('far', ', media: removable')}
components:
${components.replaceAll('DIR', dir.path)}`;
  await writeFile(dir.file('holdfast.yaml'), text);
  const options = { cwd: dir.path, env: { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined } };
  const run: Team['run'] = async (...args) => await runProgram(holdfastProgram, [...places(dir), ...args], options);
  return teamOf(dir, run);
}

/** The same, its repositories made already with keys that cost nothing, and its commands served. */
async function readyTeam(dir: TempDir, components: string): Promise<Team> {
  await team(dir, components);
  await cheapRepositories([dir.file('near'), dir.file('far')], secret);
  const env = definedOf({ ...process.env, HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined });
  return teamOf(dir, async (...args) => await served({ args: [...places(dir), ...args], cwd: dir.path, env }));
}

function places(dir: TempDir): readonly string[] {
  return ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state')];
}

function teamOf(dir: TempDir, run: Team['run']): Team {
  return { dir, run, ok: async (...args) => outputOf(args, await run(...args)) };
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}

const uploads = `  uploads:
    files: { paths: [DIR/data] }
    backups: { hourly: { every: 1h, to: { near: { keep: { daily: 7 } }, far: { keep: { last: 1 } } } } }
`;

interface Point {
  readonly component: string;
  readonly identity: string;
  readonly copies: readonly { readonly repository: string; readonly snapshot: { readonly tags: readonly string[] } }[];
}

async function points({ ok }: Team): Promise<readonly Point[]> {
  const parsed: unknown = JSON.parse(await ok('snapshots', '--points', '--json'));
  assert.ok(Array.isArray(parsed));
  return parsed as readonly Point[];
}

test('init makes every repository of a policy, cutting alike, and leaves alone what is there', async () => {
  await using dir = await tempDir();
  const { ok, run } = await team(dir, uploads);
  assert.match(await ok('init'), /near: created repository[^]*far: created repository/);
  assert.match(await ok('init'), /near: is there\nfar: is there/);
  const { stderr } = await run('backup', '--all');
  assert.doesNotMatch(stderr, /cuts files at other places/);
});

test('a component is backed up into the first repository of its rule and copied to the others: one point', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await at.ok('backup', 'uploads');
  const [point, ...others] = await points(at);
  assert.deepEqual(others, []);
  assert.equal(point?.component, 'uploads');
  assert.deepEqual(
    point.copies.map(({ repository }) => repository),
    ['near', 'far'],
  );
  for (const { snapshot } of point.copies) assert.deepEqual(snapshot.tags, ['hf.component=uploads', 'hf.rule=hourly']);
  assert.match(await at.ok('snapshots', 'uploads'), /in near:[^]*in far:/);
});

test('a repository that was out of reach catches up; what its retention removed does not come back', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await at.ok('backup', '--all');
  await rm(dir.file('far'), { recursive: true });
  for (const text of ['second', 'third']) {
    await appendFile(dir.file('data/file'), text);
    const { code, stderr } = await at.run('backup', '--all');
    assert.equal(code, 1);
    assert.match(stderr, /uploads, rule hourly, far: /);
  }
  await at.ok('init');
  await at.ok('copy', '--all');
  const held = (await points(at)).map(({ copies }) => copies.map(({ repository }) => repository).join());
  assert.deepEqual(held, ['near', 'near', 'near,far']);
  assert.match(await at.ok('copy', 'uploads'), /nothing to copy/);
});

test('forget goes by the policy, for each repository its own; a dry run changes nothing', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  for (const text of ['second', 'third']) {
    await appendFile(dir.file('data/file'), text);
    await at.ok('backup', '--all');
  }
  const before = await points(at);
  assert.match(await at.ok('forget', '--all', '--dry-run'), /in far:[^]*would remove 1 snapshot/);
  assert.deepEqual(await points(at), before);
  await at.ok('forget', '--all');
  const held = (await points(at)).map(({ copies }) => copies.map(({ repository }) => repository).join());
  assert.deepEqual(held, ['near', 'near,far']);
  const { code, stderr } = await at.run('forget', '--all', '--keep-last', '1');
  assert.equal(code, 2);
  assert.match(stderr, /--keep-last can’t stand beside a policy/);
});

test('a restore takes the nearest copy, and the next one where that fails in the midst', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await at.ok('backup', 'uploads');
  const target = async (name: string): Promise<string> =>
    await readFile(dir.file(`${name}${dir.path}/data/file`), 'utf8');
  assert.match(await at.ok('restore', 'uploads', '--target', 'one'), /from near/);
  assert.equal(await target('one'), 'first\n');
  await rm(dir.file('near/data'), { recursive: true });
  assert.match(await at.ok('restore', 'uploads', '--target', 'two'), /from near\n[^]*from far/);
  assert.equal(await target('two'), 'first\n');
  await rm(dir.file('near'), { recursive: true });
  assert.match(await at.ok('restore', 'uploads', '--target', 'three'), /from far/);
});

test('--at takes the newest point of then or before, in the zone of the policy', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await at.ok('backup', 'uploads');
  assert.match(
    await at.ok('restore', 'uploads', '--at', '2100-01-01 00:00', '--target', 'one'),
    /at 2100-01-01T00:00:00\+00:00/,
  );
  const { code, stderr } = await at.run('restore', 'uploads', '--at', '2001-01-01 00:00', '--target', 'two');
  assert.equal(code, 1);
  assert.match(
    stderr,
    /uploads has no recoverable point of 2001-01-01T00:00:00Z or before: the oldest is of 20\d\d-[^]*snapshots uploads --points/,
  );
  assert.match(await at.ok('records', '--kind', 'restore'), /outcome refused, error point-not-found/);
  assert.doesNotMatch((await at.run('status')).stdout.toString(), /FAILED/);
});

test('--at takes a backup of a component whose log this version can’t replay, and says so', async () => {
  await using dir = await tempDir();
  const log = '    log: { mode: archive, every: 300s, to: { near: { window: 1d } } }\n';
  const at = await readyTeam(dir, `${uploads}${log}`);
  await at.ok('backup', 'uploads');
  assert.match(
    await at.ok('restore', 'uploads', '--at', '2100-01-01 00:00', '--target', 'one'),
    /^at [^\n]*\nno log of then is kept: the newest backup before serves(?:(?!\nat )[^])*uploads: point/,
  );
});

test('a dump is judged by exit code, output and what it says; the others go on', async () => {
  await using dir = await tempDir();
  const rules = 'backups: { r: { every: 1h, to: { near: { keep: { last: 1 } } } } }';
  const command = (name: string, dump: string, more = ''): string =>
    `  ${name}:\n    command: { dump: ${JSON.stringify(dump)}${more} }\n    ${rules}\n`;
  const at = await readyTeam(
    dir,
    [
      command('fails', 'sh -c "echo half; echo no space >&2; exit 3"'),
      command('empty', 'true'),
      command('may-be-empty', 'true', ', allow-empty: true'),
      command('alarming', 'sh -c "echo all; echo ERROR: table gone >&2"'),
      command('good', 'echo all'),
    ].join(''),
  );
  const { code, stderr } = await at.run('backup', '--all');
  assert.equal(code, 1);
  assert.match(stderr, /fails, rule r, near: sh failed: exit code 3\n {2}no space/);
  assert.match(stderr, /empty, rule r, near: true gave no data/);
  assert.match(stderr, /it wrote: ERROR: table gone/);
  assert.deepEqual(
    (await points(at)).map(({ component }) => component),
    ['may-be-empty', 'alarming', 'good'],
  );
  assert.equal((await at.run('backup', 'alarming')).code, 3);
  await at.ok('restore', 'good', '--target', 'out');
  assert.equal(await readFile(dir.file('out/good/dump'), 'utf8'), 'all\n');
});

test('a policy or a repository: flags beat the environment, both at once are refused, a component is no path', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  const config = ['--config', 'holdfast.yaml'];
  for (const [args, message] of [
    [['backup', 'uploads', ...config, '-r', dir.file('near')], /--config and -r can’t stand together/],
    [
      ['backup', 'uploads', '-r', dir.file('near'), '--insecure-no-password'],
      /uploads is a component of \.\/holdfast\.yaml/,
    ],
    [['backup', 'uplods'], /no component "uplods"; did you mean uploads\?/],
    [['backup', 'uploads', '--rule', 'hurly'], /no rule "hurly"; did you mean hourly\?/],
    [['backup'], /which component\? uploads; or --all/],
  ] as const) {
    const { code, stderr } = await at.run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
});

test('no password of a policy shows, whatever fails', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await writeFile(dir.file('password'), `${secret}-another`);
  for (const args of [
    ['backup', '--all', '-vv'],
    ['snapshots'],
    ['restore', 'uploads', '--target', 'x'],
    ['copy', '--all', '--json'],
  ]) {
    const { code, stdout, stderr } = await at.run(...args);
    assert.notEqual(code, 0);
    assert.ok(!`${stdout.toString()}${stderr}`.includes(secret), args.join(' '));
  }
});

test('every run, copy, forget and restore is recorded, failures too; a changed record is found', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await at.ok('backup', 'uploads');
  await at.ok('forget', 'uploads');
  await at.ok('restore', 'uploads', '--target', 'out');
  await rm(dir.file('data'), { recursive: true });
  assert.notEqual((await at.run('backup', 'uploads')).code, 0);
  const lines = (await at.ok('records', '--component', 'uploads', '--json')).trim().split('\n');
  const found = lines.map(
    (line) => JSON.parse(line) as { kind: string; repository?: string; data: { outcome: string } },
  );
  const told = found.map(({ kind, repository, data }) => `${kind} ${repository ?? ''} ${data.outcome}`);
  assert.deepEqual(told.slice(0, 5), [
    'run near done',
    'copy far done',
    'forget near done',
    'forget far done',
    'restore  done',
  ]);
  assert.match(told[5] ?? '', /^run near failed$/);
  // This host believes its own key.
  assert.match(await at.ok('records', '--verify'), /✔ uploads by .* in near: \d records, intact/);
  const stranger = await at.run('--state-dir', dir.file('elsewhere'), 'records', '--verify');
  assert.equal(stranger.code, 5);
  assert.match(stranger.stdout.toString(), /seen for the first time, and pinned from now on/);

  const key: unknown = JSON.parse(lines[0] ?? '');
  assert.ok(typeof key === 'object' && key !== null && 'signer' in key);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  await writeFile(dir.file('holdfast.yaml'), `${policy}signers: ["${String(key.signer)}"]\n`);
  assert.match(await at.ok('records', '--verify'), /✔ uploads by .* in near: \d records, intact/);
  const folder = dir.file('near/holdfast/records/uploads');
  const [writer = ''] = await readdir(folder);
  await rm(`${folder}/${writer}/0000000002`);
  const broken = await at.run('records', '--verify');
  assert.equal(broken.code, 4);
  assert.match(broken.stdout.toString(), /BROKEN at .*0000000002: it is missing/);
});

test('what can’t be recorded waits on this host, and comes with the next record', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, uploads);
  await rename(dir.file('near'), dir.file('away'));
  const { code, stderr } = await at.run('backup', 'uploads');
  assert.equal(code, 1);
  assert.match(stderr, /near can’t take the record, which waits on this host/);
  await rename(dir.file('away'), dir.file('near'));
  await at.ok('backup', 'uploads');
  const records = (await at.ok('records', '--component', 'uploads', '--csv')).trim().split('\n');
  assert.deepEqual(
    records.map((line) => line.split(',')[2]),
    ['kind', 'run', 'copy', 'run', 'copy'],
  );
});

const verified = `  uploads:
    files: { paths: [DIR/data] }
    backups: { hourly: { every: 1h, to: { near: { keep: { daily: 7 } }, far: { keep: { last: 1 } } } } }
    verify:
      - every: 1d
        from: each
        checks:
          - { name: enough files, count: files, at-least: 1 }
          - { name: bytes, size: bytes, equals: 6 }
          - { name: same as stored, checksums: snapshot }
          - { name: same as live, checksums: source }
`;

interface Verified {
  readonly message_type: string;
  readonly state: string;
  readonly repository: string;
  readonly reason?: string;
  readonly checks: readonly { readonly name: string; readonly state: string; readonly found: string }[];
}

async function verify(
  { run }: Team,
  ...args: readonly string[]
): Promise<{ code: number | null; all: readonly Verified[] }> {
  const { code, stdout } = await run('verify', 'uploads', '--json', ...args);
  const records = stdout.toString().trim().split('\n');
  const all = records.map((line) => JSON.parse(line) as Verified);
  return { code, all: all.filter(({ message_type: type }) => type === 'verification') };
}

test('each copy is restored and asked; the proof is recorded', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, verified);
  await at.ok('backup', 'uploads');
  const { code, all } = await verify(at);
  assert.equal(code, 0, JSON.stringify(all));
  assert.deepEqual(
    all.map(({ repository, state }) => `${repository} ${state}`),
    ['near verified', 'far verified'],
  );
  for (const { checks } of all)
    assert.deepEqual(
      checks.map(({ state }) => state),
      ['passed', 'passed', 'passed', 'passed'],
    );
  assert.deepEqual(await readdir(dir.file('state/sandboxes')), []);
  const records = await at.ok('records', '--kind', 'verification', '--json');
  assert.equal(records.trim().split('\n').length, 2);
});

test('a damaged copy failed, at the level that reaches the damage; the other one is none the worse', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, verified);
  await at.ok('backup', 'uploads');
  for (const file of await filesBelow(dir.file('near/data'))) {
    const bytes = await readFile(file);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await chmod(file, 0o600);
    await writeFile(file, bytes);
  }
  for (const level of ['data', 'restore', 'sample']) {
    const { code, all } = await verify(at, '--do', level);
    assert.equal(code, 4);
    assert.deepEqual(
      all.map(({ state }) => state),
      ['failed', 'verified'],
      level,
    );
  }
  for (const file of await filesBelow(dir.file('near/data'))) await rm(file);
  const { code, all } = await verify(at, '--do', 'structure');
  assert.equal(code, 4);
  assert.match(all[0]?.reason ?? '', /no such file|missing or too short/);
});

test('a wrong answer failed; a file that changed since the backup is told apart from one that differs', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, verified.replace('equals: 6', 'equals: 7'));
  await at.ok('backup', 'uploads');
  await writeFile(dir.file('data/file'), 'changed since\n');
  const { code, all } = await verify(at, '--from', 'near');
  assert.equal(code, 4);
  assert.match(all[0]?.reason ?? '', /bytes: expected exactly 7, found 6/);
  const live = all[0]?.checks.find(({ name }) => name === 'same as live');
  assert.equal(live?.state, 'passed');
  assert.match(live.found, /1 changed since the backup/);
});

test('what the surroundings lack is neither verified nor failed', async () => {
  await using dir = await tempDir();
  const at = await readyTeam(dir, verified);
  await at.ok('backup', 'uploads');
  await rename(dir.file('far'), dir.file('away'));
  const each = await verify(at, '--from', 'each');
  assert.equal(each.code, 5);
  assert.deepEqual(
    each.all.map(({ state }) => state),
    ['verified', 'could not verify'],
  );
  const gone = await verify(at, '--from', 'far');
  assert.equal(gone.code, 5);
  assert.deepEqual(
    gone.all.map(({ state }) => state),
    ['could not verify'],
  );
  await rm(dir.file('state/sandboxes'), { recursive: true });
  await writeFile(dir.file('state/sandboxes'), '');
  const full = await verify(at, '--from', 'near');
  assert.equal(full.code, 5);
  assert.match(full.all[0]?.reason ?? '', /no folder for the verification can be made/);
});

test('status holds what was observed against what is wanted, and knows what it doesn’t know', async () => {
  await using dir = await tempDir();
  const tiers = `    tier: t\n`;
  const at = await readyTeam(dir, verified.replace('    backups:', `${tiers}    backups:`));
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const tier = 'tiers: { t: { rpo: 2h, rto: 1h, copies: 3, proof: 1d, proof-each: 7d } }\ncomponents:';
  await writeFile(dir.file('holdfast.yaml'), policy.replace('components:', tier));
  const before = await at.run('status');
  assert.equal(before.code, 4);
  assert.match(before.stdout.toString(), /uploads \(t\): BROKEN, no recoverable point/);
  await at.ok('backup', '--all');
  assert.equal((await at.run('status')).code, 4);
  await at.ok('verify', '--all');
  const after = await at.run('status', '--json');
  assert.equal(after.code, 0, after.stdout.toString());
  const found = JSON.parse(after.stdout.toString().split('\n')[0] ?? '') as {
    objectives: readonly { objective: string; state: string }[];
  };
  assert.deepEqual(
    found.objectives.map(({ objective, state }) => `${objective} ${state}`),
    ['rpo met', 'rto met', 'copies met', 'proof met', 'proof-each met'],
  );
  assert.match(await at.ok('snapshots', '--points'), /near \(restored and checked .*\)[^]*far \(restored and checked/);
  await rename(dir.file('far'), dir.file('away'));
  const unknown = await at.run('status');
  assert.equal(unknown.code, 5);
  assert.match(unknown.stdout.toString(), /UNKNOWN[^]*far can’t be asked/);
  // What this machine has beside the test's folder nobody protects.
  assert.match(unknown.stdout.toString(), /found on this host, and NOT PROTECTED: configuration of this host.*: \/etc/);
});

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { resticOk, withoutRestic } from './servers/restic.ts';
import type { RepositoryAt } from './support/holdfast.ts';
import { assertHolds, assertShapeWithin, isObject, jsonValues, messagesByKind, shapeOf } from './support/json-shape.ts';
import type { RunResult } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { both, cheapRepository, copiesOf, expectExit, run, type OfBoth } from './support/two-tools.ts';

const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };
/** Not UTC, so that a time in the wrong zone shows. */
const env = { TZ: 'Asia/Kolkata' };

/** Two snapshots by restic: of a tree, and of the tree after some work. */
async function prepared(dir: TempDir): Promise<RepositoryAt> {
  const at = await cheapRepository(dir.file('template'));
  makeTree(dir);
  await resticOk('0.19.1', at, ['backup', 'tree', '--tag', 'one,two', '--host', 'alpha'], { cwd: dir.path, env });
  changeTree(dir);
  await resticOk('0.19.1', at, ['backup', 'tree', '--host', 'beta', '--exclude', '*.tmp'], { cwd: dir.path, env });
  return at;
}

function makeTree(dir: TempDir): void {
  mkdirSync(dir.file('tree/sub/deep'), { recursive: true });
  for (const name of ['a.txt', 'gone', 'sub/b.TXT', 'sub/deep/ünïcödé\n']) writeFileSync(dir.file('tree', name), name);
  writeFileSync(dir.file('tree/large'), Buffer.alloc(3_000_000, 'holdfast '));
  symlinkSync('a.txt', dir.file('tree/link'));
}

function changeTree(dir: TempDir): void {
  appendFileSync(dir.file('tree/a.txt'), 'more');
  rmSync(dir.file('tree/gone'));
  rmSync(dir.file('tree/link'));
  mkdirSync(dir.file('tree/link'));
  writeFileSync(dir.file('tree/new'), 'new');
  writeFileSync(dir.file('tree/left.tmp'), 'out');
}

interface Names {
  readonly older: string;
  readonly newer: string;
  readonly olderTree: string;
  readonly pack: string;
  readonly index: string;
  readonly key: string;
  readonly blob: string;
}

async function namesIn(at: RepositoryAt): Promise<Names> {
  const [snapshots, blobs, ...lists] = await Promise.all([
    resticOk('0.19.1', at, ['snapshots', '--json']),
    resticOk('0.19.1', at, ['list', 'blobs']),
    ...['packs', 'index', 'keys'].map((kind) => resticOk('0.19.1', at, ['list', kind])),
  ]);
  const [older, newer] = JSON.parse(snapshots) as readonly { readonly id: string; readonly tree: string }[];
  const [pack, index, key] = lists.map((list) => list.split('\n')[0] ?? '');
  const blob = /data ([0-9a-f]{64})/.exec(blobs)?.[1];
  assert.ok(older && newer && pack && index && key && blob);
  return { older: older.id, newer: newer.id, olderTree: older.tree, pack, index, key, blob };
}

/** Commands that only look: both must print the same values. */
function lookingCommands({ older, newer, olderTree, pack, index, key, blob }: Names): readonly (readonly string[])[] {
  return [
    ['snapshots'],
    ['snapshots', older.slice(0, 8), '--compact'],
    ['snapshots', '--group-by', 'host,tags', '--latest', '1'],
    ['snapshots', '--tag', 'two,one', '--host', 'alpha', '--path', '/nowhere'],
    ['ls', 'latest'],
    ['ls', '--recursive', `${older}:tree`, '/sub'],
    ['ls', 'latest', '/tree', '--sort', 'size', '--reverse'],
    ['find', '*.txt', 'deep'],
    ['find', '--ignore-case', '*.txt', '--snapshot', older, '--long'],
    ['find', '--newest', '2001-01-01', '*'],
    ['find', '--blob', blob],
    ['find', '--tree', olderTree],
    ['find', '--pack', pack],
    ['diff', older, newer],
    ['diff', '--metadata', `${newer}:tree`, `${older}:tree`],
    ...['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'].map((mode) => ['stats', '--mode', mode]),
    ['stats', 'latest'],
    ['key', 'list'],
    ['check'],
    ['cat', 'config'],
    ['cat', 'snapshot', newer],
    ['cat', 'index', index],
    ['cat', 'key', key],
    ['cat', 'tree', `${older}:tree`],
    ['forget', '--keep-last', '1', '--group-by', '', '--dry-run'],
    ['forget', '--keep-daily', '1', '--keep-tag', 'one', '--keep-within', '1d', '--dry-run'],
  ];
}

test('commands that look print what restic prints, value by value', options, async () => {
  await using dir = await tempDir();
  const template = await prepared(dir);
  const names = await namesIn(template);
  // Each has its own: `check` wants to be alone.
  const at = await copiesOf(template, dir.file('repository'));
  for (const command of lookingCommands(names)) {
    const { holdfast, restic } = await outputs(at, [...command, '--json'], dir);
    assert.ok(restic.length > 0, command.join(' '));
    assertHolds(holdfast, restic, command.join(' '));
  }
  for (const kind of ['snapshots', 'packs', 'index', 'keys', 'blobs']) {
    const { holdfast, restic } = await both(
      async (tool) => (await expectExit(0, tool, at[tool], ['list', kind, '--json'])).stdout,
    );
    assert.deepEqual(linesOf(holdfast), linesOf(restic), kind);
  }
});

/** Sorted by their text where restic's own order is chance. */
async function outputs(
  at: OfBoth<RepositoryAt>,
  args: readonly string[],
  dir: TempDir,
): Promise<OfBoth<readonly unknown[]>> {
  return await both(async (tool) => {
    const { stdout } = await expectExit(0, tool, at[tool], args, { cwd: dir.path, env });
    const document = args[0] === 'cat' ? [JSON.parse(stdout.toString()) as unknown] : jsonValues(stdout.toString());
    return args[0] === 'cat' || args[0] === 'diff' ? document : document.map(sorted);
  });
}

function sorted(document: unknown): unknown {
  if (!Array.isArray(document)) return document;
  return document.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf(item: unknown): string {
  if (!isObject(item)) return String(item);
  return JSON.stringify(
    ['group_key', 'host', 'tags', 'paths', 'time', 'object_type', 'id', 'path', 'snapshot'].map((name) => item[name]),
  );
}

function linesOf(output: Buffer): readonly string[] {
  return output.toString().split('\n').toSorted();
}

interface Writing {
  readonly args: readonly string[];
  readonly code?: number;
}

const writingCommands: Readonly<Record<string, Writing>> = {
  'a backup after changes': { args: ['backup', '--verbose=2', '--host', 'alpha', 'tree'] },
  'a backup of nothing new': { args: ['backup', '--host', 'beta', '--exclude', '*.tmp', 'tree'] },
  'a skipped backup': { args: ['backup', '--host', 'beta', '--exclude', '*.tmp', '--skip-if-unchanged', 'tree'] },
  'a backup that can’t read a file': { args: ['backup', 'tree', '/proc/1/mem'], code: 3 },
  'a backup of what is not there': { args: ['backup', '/nowhere'], code: 1 },
  'forget of one snapshot': { args: ['forget', 'latest'] },
  'forget without a policy': { args: ['forget'], code: 1 },
  'a snapshot that is not there': { args: ['ls', '0badcafe'], code: 1 },
  'a file that is not there': { args: ['dump', 'latest', '/nowhere'], code: 1 },
};

test('commands that write print every message and member of restic’s', options, async () => {
  await using dir = await tempDir();
  const template = await prepared(dir);
  for (const [what, { args, code = 0 }] of Object.entries(writingCommands)) {
    const at = await copiesOf(template, dir.file(what));
    const result = await both(
      async (tool) => await expectExit(code, tool, at[tool], [...args, '--json'], { cwd: dir.path, env }),
    );
    compareMessages(result, what);
  }
});

test('restores: every message and member of restic’s is there', options, async () => {
  await using dir = await tempDir();
  const at = await prepared(dir);
  const restore = async (args: readonly string[], code = 0): Promise<OfBoth<RunResult>> =>
    await both(
      async (tool) => await expectExit(code, tool, at, ['restore', ...args, '--json', '-t', dir.file(tool)], { env }),
    );
  compareMessages(await restore(['latest', '-vv']));
  for (const tool of ['holdfast', 'restic']) writeFileSync(dir.file(tool, 'tree/extra'), 'extra');
  const again = await restore(['latest:tree', '-vv', '--delete', '--overwrite', 'if-changed', '--target']);
  compareMessages(again);
  const summary = messagesByKind(jsonValues(again.holdfast.stdout.toString())).get('summary');
  assertHolds(summary, messagesByKind(jsonValues(again.restic.stdout.toString())).get('summary'), 'summary');
});

test('what ends a command early is the last line of standard error, with the exit code', options, async () => {
  await using dir = await tempDir();
  const at = await cheapRepository(dir.file('repository'));
  const endings: readonly (readonly [number, RepositoryAt, readonly string[]])[] = [
    [10, { ...at, repository: dir.file('nowhere') }, ['snapshots']],
    [12, { ...at, password: 'wrong' }, ['snapshots']],
    [1, at, ['restore', 'latest', '--target', dir.file('out')]],
    [1, at, ['init']],
  ];
  for (const [code, where, args] of endings) {
    const result = await both(async (tool) => await expectExit(code, tool, where, [...args, '--json']));
    compareMessages(result);
    for (const { stderr } of [result.holdfast, result.restic])
      assertHolds(jsonValues(stderr).at(-1), { message_type: 'exit_error', code }, args.join(' '));
  }
});

/** Members of a status come and go with time: restic leaves out what is zero. So they are held against its manual. */
const statusMembers: Readonly<Record<string, string>> = {
  ...{ message_type: 'string', seconds_elapsed: 'number', seconds_remaining: 'number', percent_done: 'number' },
  ...{ total_files: 'number', files_done: 'number', total_bytes: 'number', bytes_done: 'number' },
  ...{ error_count: 'number', current_files: 'object', files_restored: 'number', files_skipped: 'number' },
  ...{ files_deleted: 'number', bytes_restored: 'number', bytes_skipped: 'number' },
};

test('status messages have the members of the manual, and end at all that there is', options, async () => {
  await using dir = await tempDir();
  const at = await copiesOf(await prepared(dir), dir.file('repository'));
  const often = { cwd: dir.path, env: { RESTIC_PROGRESS_FPS: '60' } };
  for (const args of [
    ['backup', 'tree', '/nowhere'],
    ['restore', 'latest'],
  ]) {
    const statuses = await both(async (tool) => {
      const target = args[0] === 'restore' ? ['--target', dir.file(tool)] : [];
      const result = await run(tool, at[tool], [...args, ...target, '--json'], often);
      return messagesByKind(jsonValues(result.stdout.toString())).get('status') ?? [];
    });
    for (const status of [...statuses.holdfast, ...statuses.restic]) {
      assert.ok(isObject(status) && typeof status['percent_done'] === 'number');
      for (const [name, value] of Object.entries(status)) assert.equal(typeof value, statusMembers[name], name);
    }
    const last = statuses.holdfast.at(-1);
    assert.ok(isObject(last));
    assert.equal(last['percent_done'], 1, JSON.stringify(last));
    assert.equal(last['bytes_done'] ?? last['bytes_restored'], last['total_bytes'], JSON.stringify(last));
  }
});

/** Each kind of message that restic prints is among ours, on the same stream, with all its members and their types. */
function compareMessages({ holdfast, restic }: OfBoth<RunResult>, what = ''): void {
  const streams = [
    [restic.stdout.toString(), holdfast.stdout.toString()],
    [restic.stderr, holdfast.stderr],
  ] as const;
  for (const [theirs, ours] of streams) {
    const ourKinds = messagesByKind(jsonValues(ours));
    for (const [kind, messages] of messagesByKind(jsonValues(theirs))) {
      if (kind === 'status') continue;
      const found = ourKinds.get(kind);
      assert.ok(found !== undefined, `${what}: a message ${kind} in ${ours}`);
      assertShapeWithin(shapeOf(messages), shapeOf(found), `${what}: ${kind}`);
    }
  }
}

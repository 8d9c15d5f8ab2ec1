import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { resticOk, withoutRestic, type ResticRepository } from '../../test/servers/restic.ts';
import { makeSpecimens } from '../../test/support/specimens.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { displayPath, rawPathOf } from '../bytes/ids.ts';
import { parentPath, baseName } from '../bytes/unix-path.ts';
import { systemClock } from '../clock/clock.ts';
import type { Event } from '../events/events.ts';
import type { Entry } from '../snapshot/entry.ts';
import { Directory } from '../host/directory.ts';
import { decodeTree } from '../snapshot/tree.ts';
import { cacheTag, filesSource, type ExcludeOptions, type FilesOptions } from './files.ts';

function asNobody(): string | false {
  return process.getuid?.() === 0 ? false : absent('root');
}

/** Root in a container may not be allowed to mount. */
function withoutMounts(): string | false {
  const allowed = process.platform === 'linux' && process.getuid?.() === 0 && mayMount();
  return allowed ? false : absent('mounts');
}

/** CAP_SYS_ADMIN. */
function mayMount(): boolean {
  const effective = /^CapEff:\t(\w+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${effective}`) & (1n << 21n)) !== 0n;
}

const noExcludes: ExcludeOptions = {
  patterns: [],
  caseInsensitivePatterns: [],
  ifPresent: [],
  fileSystems: 'all',
  folders: [],
};

interface Walked {
  readonly entries: readonly Entry[];
  readonly events: readonly Event[];
}

async function walked(targets: readonly string[], options: Partial<FilesOptions> = {}): Promise<Walked> {
  const [entries, events]: [Entry[], Event[]] = [[], []];
  const source = filesSource({
    targets: targets.map(rawPathOf),
    excludes: noExcludes,
    atime: 'as-mtime',
    clock: systemClock,
    ...options,
  });
  const signal = new AbortController().signal;
  for await (const entry of source.entries({ listener: (event) => events.push(event), signal })) entries.push(entry);
  return { entries, events };
}

function pathsOf({ entries }: Walked): readonly string[] {
  return entries.map(({ path }) => displayPath(path));
}

test(
  'everything that a file system holds is recorded exactly as restic records it',
  { skip: withoutRestic('0.19.1') },
  async () => {
    await using dir = await tempDir();
    fs.mkdirSync(dir.file('above/all'), { recursive: true });
    fs.chmodSync(dir.file('above'), 0o2750);
    await makeSpecimens(dir.file('above/all'));
    const at = await newRepository(dir.file('repository'));
    await resticOk('0.19.1', at, ['backup', '--quiet', dir.file('above/all')]);
    const snapshot = (await resticOk('0.19.1', at, ['list', 'snapshots', '--quiet'])).trim();
    const ours = await walked([dir.file('above/all')]);
    let compared = 0;
    for (const folder of [dir.path, dir.file('above/all')]) {
      const json = await resticOk('0.19.1', at, ['cat', 'tree', `${snapshot}:${folder}`]);
      const theirs = [...decodeTree(Buffer.from(json))];
      const mine = ours.entries.filter(({ path }) => parentPath(path) === rawPathOf(folder.slice(1)));
      assert.deepEqual(
        mine.map(({ path }) => baseName(path)).toSorted(),
        theirs.map(({ name }) => name),
      );
      for (const { name, content: _content, subtree: _subtree, ...theirMetadata } of theirs) {
        const metadata = mine.find(({ path }) => baseName(path) === name)?.metadata;
        assert.deepEqual(comparable(metadata ?? {}), comparable(theirMetadata), displayPath(name));
        compared += 1;
      }
    }
    assert.ok(compared >= 35, `${compared} nodes compared`);
    assert.deepEqual(ours.events, []);
  },
);

/** Paths of the files and folders that restic would back up; a folder's ends with '/'. */
async function resticWouldTake(at: ResticRepository, folder: string, args: readonly string[]): Promise<string[]> {
  const flags = ['backup', '--dry-run', '--json', '--verbose=2', '--force'];
  const output = await resticOk('0.19.1', at, [...flags, ...args], { cwd: folder });
  const messages = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action?: string; item?: string });
  return messages.flatMap(({ action, item }) => (action === 'new' && item ? [item] : [])).toSorted();
}

async function weWouldTake(folder: string, targets: readonly string[], excludes = noExcludes): Promise<string[]> {
  const back = process.cwd();
  process.chdir(folder);
  try {
    const { entries } = await walked(targets, { excludes });
    const taken = entries.filter(({ metadata }) => metadata.type === 'file' || metadata.type === 'dir');
    return taken.map(({ path, metadata }) => `/${path}${metadata.type === 'dir' ? '/' : ''}`).toSorted();
  } finally {
    process.chdir(back);
  }
}

async function makeTree(dir: { file(...names: string[]): string }, files: readonly string[]): Promise<void> {
  for (const file of files) {
    fs.mkdirSync(dir.file(file, '..'), { recursive: true });
    fs.writeFileSync(dir.file(file), file);
  }
}

test('targets of every shape get the places that restic gives them', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['work/a/one', 'work/a/b/two', 'work/c', 'other/a/three', 'a/four']);
  const at = await newRepository(dir.file('repository'));
  const shapes = [
    [dir.file('work/a/b')],
    ['.'],
    ['a', '../a', '../other/a', dir.file('a')],
    ['a/b/two', 'a', './c', 'c'],
    ['..', 'a/../../work/a/b'],
  ];
  for (const targets of shapes) {
    const theirs = await resticWouldTake(at, dir.file('work'), targets);
    const ours = await weWouldTake(dir.file('work'), targets);
    // The repository lies in a folder that one of the targets takes, and its keys are written meanwhile.
    const stable = (path: string): boolean => !path.includes('/repository/');
    assert.deepEqual(ours.filter(stable), theirs.filter(stable), targets.join(' '));
  }
});

test('excludes of every kind leave out what restic leaves out', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/a.tmp', 't/A.TMP', 't/keep.tmp', 't/cache/CACHEDIR.TAG', 't/cache/x', 't/fake/CACHEDIR.TAG']);
  await makeTree(dir, ['t/fake/x', 't/skipped/.skip', 't/skipped/x', 't/skipped/sub/y', 't/deep/t/x', 't/big']);
  fs.writeFileSync(dir.file('t/cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55 and more');
  fs.writeFileSync(dir.file('t/big'), Buffer.alloc(2000));
  const at = await newRepository(dir.file('repository'));
  const args = ['--exclude=*.tmp', '--exclude=!keep.tmp', '--iexclude=a.tMp', '--exclude-caches'];
  const more = ['--exclude-if-present=.skip', '--exclude-larger-than=1K', `--exclude=${dir.file('t/deep/**/x')}`];
  const theirs = await resticWouldTake(at, dir.path, [...args, ...more, 't', 't/a.tmp']);
  const ours = await weWouldTake(dir.path, ['t', 't/a.tmp'], {
    patterns: ['*.tmp', '!keep.tmp', dir.file('t/deep/**/x')].map(rawPathOf),
    caseInsensitivePatterns: [rawPathOf('a.tMp')],
    ifPresent: ['.skip', cacheTag],
    largerThanBytes: 1024,
    fileSystems: 'all',
    folders: [],
  });
  assert.deepEqual(ours, theirs);
  assert.ok(theirs.includes('/t/keep.tmp') && !theirs.includes('/t/A.TMP') && !theirs.includes('/t/skipped/x'));
});

test(
  'with one file system only, a mount point is kept and what is mounted is not',
  { skip: withoutMounts() },
  async () => {
    await using dir = await tempDir();
    await makeTree(dir, ['t/here', 't/mounted/hidden']);
    await runOk('mount', ['-t', 'tmpfs', 'none', dir.file('t/mounted')]);
    try {
      await makeTree(dir, ['t/mounted/there', 't/mounted/sub/there']);
      const taken = await weWouldTake(dir.path, ['t'], { ...noExcludes, fileSystems: 'those-of-targets' });
      assert.deepEqual(taken, ['/t/', '/t/here', '/t/mounted/']);
      const both = await weWouldTake(dir.path, ['t', 't/mounted/sub'], {
        ...noExcludes,
        fileSystems: 'those-of-targets',
      });
      assert.deepEqual(both, ['/t/', '/t/here', '/t/mounted/', '/t/mounted/sub/', '/t/mounted/sub/there']);
    } finally {
      await runOk('umount', [dir.file('t/mounted')]);
    }
  },
);

test('children ascend by their bytes and come before their folder', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/b/x', 't/b-', 't/b.', 't/a', 't/Z', 't/\u{10000}', 't/\uffff']);
  const paths = pathsOf(await walked([dir.file('t')])).map((path) => path.slice(dir.file('t').length));
  assert.deepEqual(paths.slice(0, 9), ['Z', 'a', 'b/x', 'b', 'b-', 'b.', '\uffff', '\u{10000}', '']);
});

test('what can not be read is left out, told, and everything else is there', { skip: asNobody() }, async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/closed/x', 't/open/y', 't/unlisted/z']);
  fs.chmodSync(dir.file('t/closed'), 0o000);
  fs.chmodSync(dir.file('t/unlisted'), 0o644);
  fs.chmodSync(dir.path, 0o755);
  const script = `
    const { filesSource } = await import(${JSON.stringify(new URL('files.ts', import.meta.url).href)});
    const { systemClock } = await import(${JSON.stringify(new URL('../clock/clock.ts', import.meta.url).href)});
    const excludes = { patterns: [], caseInsensitivePatterns: [], ifPresent: [], fileSystems: 'all', folders: [] };
    const source = filesSource({ targets: ['t'], excludes, atime: 'as-mtime', clock: systemClock });
    const signal = new AbortController().signal;
    for await (const { path } of source.entries({ listener: (event) => console.log(event.item, event.message), signal }))
      console.log(path);`;
  const nobody = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const output = (await runOk('setpriv', nobody, { cwd: dir.path })).toString().trim().split('\n');
  assert.deepEqual(output, [
    't/closed left out: permission denied',
    't/open/y',
    't/open',
    't/unlisted/z left out: permission denied',
    't/unlisted',
    't',
  ]);
});

test('what vanishes while its folder is walked is told', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/a', 't/b', 't/c/x']);
  const [paths, told]: [string[], string[]] = [[], []];
  const targets = [rawPathOf(dir.file('t'))];
  const source = filesSource({ targets, excludes: noExcludes, atime: 'as-mtime', clock: systemClock });
  const listener = (event: Event): void => void (event.kind === 'warning' && told.push(event.message));
  for await (const { path } of source.entries({ listener, signal: new AbortController().signal })) {
    paths.push(baseName(path));
    if (paths.length > 1) continue;
    fs.rmSync(dir.file('t/b'));
    fs.rmSync(dir.file('t/c'), { recursive: true });
    fs.symlinkSync('/', dir.file('t/c'));
  }
  assert.deepEqual(paths.slice(0, 3), ['a', 'c', 't']);
  assert.deepEqual(told, ['left out: it vanished']);
});

test('a path longer than the system takes is told, and the walk goes on', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('t/after'), { recursive: true });
  let deep = Directory.open(rawPathOf(dir.file('t')));
  for (let i = 0; i < 18; i += 1) {
    deep.makeDirectory(rawPathOf('a'.repeat(250)));
    const below = deep.openDirectory(rawPathOf('a'.repeat(250)));
    deep[Symbol.dispose]();
    deep = below;
  }
  deep[Symbol.dispose]();
  const { entries, events } = await walked([dir.file('t')]);
  assert.deepEqual(
    events.map((event) => event.kind === 'warning' && event.message),
    ['left out: name too long'],
  );
  assert.ok(entries.length > 15 && pathsOf({ entries, events }).some((path) => path.endsWith('t/after')));
  await runOk('rm', ['-rf', dir.file('t')]);
});

test('a target that is a link is itself, one below a link is found behind it', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['real/x']);
  fs.symlinkSync('real', dir.file('link'));
  const [itself] = (await walked([dir.file('link')])).entries;
  assert.equal(itself?.metadata.linkTarget, 'real');
  const behind = (await walked([dir.file('link/x')])).entries.slice(0, 2);
  assert.deepEqual(
    behind.map(({ metadata }) => metadata.type),
    ['file', 'dir'],
  );
});

test('nothing to take is a failure of the source, as is a target that can not be listed', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/x']);
  const all = { ...noExcludes, patterns: [rawPathOf('*')] };
  await assert.rejects(weWouldTake(dir.file('t'), ['.'], all), { code: 'source-failed' });
  await assert.rejects(walked([dir.file('t/x'), dir.file('t/x/below')]), { code: 'source-failed' });
});

test('the access time is kept when asked for', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['x']);
  fs.utimesSync(dir.file('x'), 1, 2);
  const [kept] = (await walked([dir.file('x')], { atime: 'kept' })).entries;
  const [plain] = (await walked([dir.file('x')])).entries;
  assert.deepEqual([kept?.metadata.atimeNs, plain?.metadata.atimeNs], [1_000_000_000n, 2_000_000_000n]);
});

test('measuring counts the files that would be read, and both stop when aborted', async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/a', 't/b/c', 't/d.tmp']);
  const excludes = { ...noExcludes, patterns: [rawPathOf('*.tmp')] };
  const source = filesSource({ targets: [rawPathOf(dir.file('t'))], excludes, atime: 'as-mtime', clock: systemClock });
  const listener = (): void => undefined;
  const total = await source.measure?.({ listener, signal: new AbortController().signal });
  assert.deepEqual(total, { files: 2, bytes: 't/a'.length + 't/b/c'.length });
  const aborted = AbortSignal.abort(new Error('enough'));
  await assert.rejects(async () => await source.measure?.({ listener, signal: aborted }), /enough/);
});

async function newRepository(folder: string): Promise<ResticRepository> {
  const at = { repository: folder, password: 'secret' };
  await resticOk('0.19.1', at, ['init', '--quiet']);
  return at;
}

/** The repository's answer may be sorted another way where the order of attributes means nothing. */
function comparable(metadata: Partial<Entry['metadata']>): object {
  const xattrs = metadata.xattrs?.map(({ name, value }) => [name, Buffer.from(value ?? []).toString('hex')]).toSorted();
  return { ...metadata, xattrs };
}

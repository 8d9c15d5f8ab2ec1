import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { absent } from '../../test/absences.ts';
import { runOk } from '../../test/support/run-program.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { makeTree, noExcludes, pathsOf, walked } from '../../test/support/walked.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { baseName } from '../bytes/unix-path.ts';
import { systemClock } from '../clock/clock.ts';
import type { Event } from '../events/events.ts';
import { Directory } from '../host/directory.ts';
import { filesSource } from './files.ts';

function asNobody(): string | false {
  return process.getuid?.() === 0 ? false : absent('root');
}

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
  await assert.rejects(walked(['.'], { excludes: all }), { code: 'source-failed' });
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

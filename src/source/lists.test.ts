import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { resticOk, withoutRestic } from '../../test/servers/restic.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { silent, type Event } from '../events/events.ts';
import { gatherTargets, patternsOfExcludeFile, type TargetLists } from './lists.ts';

const none: TargetLists = { patterns: [], verbatim: [], raw: [], named: [] };
const bytes = (text: string): Buffer => Buffer.from(text);

function patternsOf(text: string, variables = {}): readonly string[] {
  return patternsOfExcludeFile(bytes(text), variables);
}

test('an exclude file has a pattern a line, comments, and variables as Go expands them', () => {
  assert.deepEqual(patternsOf('# no\n\n  *.tmp \t\r\n\u00a0x\u3000\nlast'), ['*.tmp', 'x', 'last']);
  const variables = { HOME: '/home/ann', A_1: 'one', UMLAUT: 'ü' };
  const lines = [
    '$HOME/x',
    '${HOME}y',
    '$A_1-$A_1',
    '$$x',
    '$NONE/x',
    'a${',
    'a${}b',
    '$',
    '$/x',
    '$1x',
    '${*}x',
    '${}',
  ];
  const wanted = ['/home/ann/x', '/home/anny', 'one-one', '$x', '/x', 'a', 'ab', '$', '$/x', 'x', 'x', ''];
  assert.deepEqual(patternsOf(lines.join('\n'), variables), wanted);
  assert.deepEqual(patternsOf('$UMLAUT', variables), [rawPathOf('ü')]);
});

test('a byte order mark is no part of the first line, and UTF-16 is read', () => {
  assert.deepEqual(patternsOf('\ufeffüx'), [rawPathOf('üx')]);
  const little = Buffer.from('\ufeffü\nx', 'utf16le');
  assert.deepEqual(patternsOfExcludeFile(little, {}), [rawPathOf('ü'), 'x']);
  assert.deepEqual(patternsOfExcludeFile(Buffer.from(little).swap16(), {}), [rawPathOf('ü'), 'x']);
});

test('patterns stand for the files that match, in byte order, folder by folder', async () => {
  await using dir = await tempDir();
  for (const name of ['b/2.txt', 'b/1.txt', 'a/z.txt', 'a/no', 'Z.txt']) {
    mkdirSync(dir.file(name, '..'), { recursive: true });
    writeFileSync(dir.file(name), '');
  }
  const events: Event[] = [];
  const list = `# comment\n ${dir.path}/[ab]/*.txt \n${dir.path}/Z.txt\n${dir.path}/*.none\n${dir.path}/Z.txt/*\n`;
  const targets = gatherTargets({ ...none, patterns: [bytes(list)] }, (event) => events.push(event));
  assert.deepEqual(
    targets,
    ['a/z.txt', 'b/1.txt', 'b/2.txt', 'Z.txt'].map((name) => dir.file(name)),
  );
  assert.deepEqual(
    events.map((event) => event.kind),
    ['note', 'note'],
  );
  assert.throws(() => gatherTargets({ ...none, patterns: [bytes('a[')] }, silent), { code: 'usage' });
});

test('verbatim and raw lists are taken as they stand', async () => {
  await using dir = await tempDir();
  for (const name of [' *#', 'new\nline']) writeFileSync(dir.file(name), '');
  const lists = { ...none, verbatim: [bytes(`${dir.file(' *#')}\n\n`)], raw: [bytes(`${dir.file('new\nline')}\0`)] };
  assert.deepEqual(gatherTargets(lists, silent), [dir.file(' *#'), dir.file('new\nline')]);
  for (const raw of ['a', 'a\0\0', '\0']) {
    assert.throws(() => gatherTargets({ ...none, raw: [bytes(raw)] }, silent), { code: 'usage' }, JSON.stringify(raw));
  }
});

test('what is not there is told and left out; nothing at all is an error', async () => {
  await using dir = await tempDir();
  const told: Event[] = [];
  const named = [dir.path, dir.file('missing')].map(rawPathOf);
  assert.deepEqual(
    gatherTargets({ ...none, named }, (event) => told.push(event)),
    [dir.path],
  );
  const message = 'left out: it does not exist';
  assert.deepEqual(told, [{ kind: 'warning', during: 'scan', item: dir.file('missing'), message }]);
  assert.throws(() => gatherTargets(none, silent), { code: 'usage' });
  assert.throws(() => gatherTargets({ ...none, named: named.slice(1) }, silent), { code: 'source-failed' });
});

test('lists name to restic what they name to us', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  for (const name of ['a1', 'a2', 'b', '[x]', ' c']) writeFileSync(dir.file(name), name);
  writeFileSync(dir.file('patterns'), `${dir.path}/a?\n#\n${dir.path}/\\[x\\]\n`);
  writeFileSync(dir.file('verbatim'), `${dir.path}/ c\n`);
  const at = { repository: dir.file('repository'), password: 'secret' };
  await cheapRepository(at.repository);
  const flags = [`--files-from=${dir.file('patterns')}`, `--files-from-verbatim=${dir.file('verbatim')}`];
  await resticOk('0.19.1', at, ['backup', '--quiet', ...flags, dir.file('b')]);
  const [snapshot] = JSON.parse(await resticOk('0.19.1', at, ['snapshots', '--json'])) as [{ paths: string[] }];
  const patterns = [bytes(`${dir.path}/a?\n#\n${dir.path}/\\[x\\]\n`)];
  const lists = { patterns, verbatim: [bytes(`${dir.path}/ c\n`)], raw: [], named: [rawPathOf(dir.file('b'))] };
  assert.deepEqual(gatherTargets(lists, silent).toSorted(), snapshot.paths.toSorted());
});

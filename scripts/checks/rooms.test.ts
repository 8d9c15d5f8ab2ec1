import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseText } from '../source-file.ts';
import { readRooms } from './rooms-table.ts';
import { roomFindings } from './rooms.ts';

const rooms = readRooms(`
| room | what | may import |
| --- | --- | --- |
| cli | commands | * |
| job | runs | snapshot.. |
| snapshot | trees | repository |
| repository | format | storage |
| storage · crypto | bytes | |
| *host clock errors* | base | each only those after it |
`);

function findings(files: Readonly<Record<string, string>>): readonly string[] {
  return roomFindings(
    rooms,
    Object.entries(files).map(([path, text]) => parseText(path, text)),
  );
}

test('a row opens what it names, x.. opens x and all below, the base is open to all', () => {
  assert.deepEqual([...(rooms.get('snapshot') ?? [])], ['repository', 'host', 'clock', 'errors']);
  assert.ok(rooms.get('job')?.has('crypto'));
  assert.ok(rooms.get('cli')?.has('job'));
  assert.deepEqual([...(rooms.get('clock') ?? [])], ['errors']);
});

test('a row that names a room which is not below it is refused', () => {
  const page = '| room | what | may import |\n| --- | --- | --- |\n| a | x | b |\n| *c* | base | |\n\n';
  assert.throws(() => readRooms(page), /no room below/);
});

test('an import of a room above is found, however it is written', () => {
  for (const text of [
    `import { x } from '../job/job.ts';`,
    `import type { X } from '../job/job.ts';`,
    `export { x } from '../job/job.ts';`,
    `export * from '../job/job.ts';`,
    `const x = await import('../job/job.ts');`,
  ]) {
    assert.deepEqual(findings({ 'src/storage/local.ts': text }), [
      'src/storage/local.ts: storage may not import job (src/job/job.ts)',
    ]);
  }
});

test('a sub-folder is private to its room, for tests too', () => {
  const text = `import { x } from '../storage/local/write.ts';`;
  assert.equal(findings({ 'src/repository/repository.ts': text }).length, 1);
  assert.equal(findings({ 'src/repository/repository.test.ts': text }).length, 1);
  assert.deepEqual(findings({ 'src/storage/local.ts': `import { x } from './local/write.ts';` }), []);
});

test('a test may use the public files of other rooms and what test/ offers; other files may not', () => {
  const text = `import { x } from '../job/job.ts';\nimport { y } from '../../test/support/temp-dir.ts';`;
  assert.deepEqual(findings({ 'src/storage/local.test.ts': text }), []);
  assert.equal(findings({ 'src/storage/local.ts': text }).length, 2);
});

test('a file outside every room is found', () => {
  assert.equal(findings({ 'src/util/x.ts': `import 'node:fs';` }).length, 1);
});

test('a cycle between files is found; a diamond, an import of types or a later import() is none', () => {
  const circle = {
    'src/job/a.ts': `import './b.ts';`,
    'src/job/b.ts': `import './c.ts';`,
    'src/job/c.ts': `import './a.ts';`,
  };
  assert.deepEqual(findings(circle), [
    'files import each other: src/job/a.ts → src/job/b.ts → src/job/c.ts → src/job/a.ts',
  ]);
  for (const back of [`import type { A } from './a.ts';`, `const a = () => import('./a.ts');`]) {
    assert.deepEqual(findings({ 'src/job/a.ts': `import { b } from './b.ts';`, 'src/job/b.ts': back }), []);
  }
  const diamond = {
    'src/job/a.ts': `import './b.ts'; import './c.ts';`,
    'src/job/b.ts': `import './d.ts';`,
    'src/job/c.ts': `import './d.ts';`,
  };
  assert.deepEqual(findings(diamond), []);
});

test('the file that starts the program belongs to cli', () => {
  assert.deepEqual(findings({ 'src/main.js': `const { main } = await import('./cli/main.ts');` }), []);
});

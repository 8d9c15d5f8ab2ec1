import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { rawPathOf } from './ids.ts';
import { absolutePath, baseName, cleanPath, joinPath, parentPath, pathParts } from './unix-path.ts';

const clean = (path: string): string => cleanPath(rawPathOf(path));

test('a path is cleaned by its text alone', () => {
  const cases = { '': '.', '.': '.', '/': '/', '//a//b/': '/a/b', 'a/../..': '..', '../../a': '../../a', '/..': '/' };
  for (const [path, wanted] of Object.entries({ ...cases, './a/./b': 'a/b', 'a/..': '.', '/../a/../b': '/b' })) {
    assert.equal(clean(path), wanted, path);
  }
});

test('cleaning again changes nothing', () => {
  const path = fc.array(fc.constantFrom('/', '.', '..', 'a', 'bc'), { maxLength: 9 }).map((parts) => parts.join(''));
  let runs = 0;
  fc.assert(
    fc.property(path, (text) => {
      assert.equal(clean(clean(text)), clean(text));
      runs += 1;
    }),
    { numRuns: 500 },
  );
  assert.equal(runs, 500);
});

test('parent, name and parts', () => {
  const [root, deep, relative] = ['/', '/a/b', 'a/b'].map(rawPathOf);
  assert.ok(root && deep && relative);
  assert.deepEqual([root, deep, relative, rawPathOf('a')].map(parentPath), ['/', '/a', 'a', '.']);
  assert.deepEqual([root, deep, rawPathOf('a/'), rawPathOf('')].map(baseName), ['/', 'b', 'a', '.']);
  assert.deepEqual([deep, relative].map(pathParts), [
    ['/', 'a', 'b'],
    ['a', 'b'],
  ]);
});

test('joining cleans, and a relative path is taken from the folder', () => {
  assert.equal(joinPath('.', 'a'), 'a');
  assert.equal(joinPath('..', '..'), '../..');
  assert.equal(joinPath('', ''), '');
  assert.equal(absolutePath(rawPathOf('../x'), rawPathOf('/home/ann')), '/home/x');
});

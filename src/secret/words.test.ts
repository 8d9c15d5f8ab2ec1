import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitWords } from './words.ts';

test('a command is split at white space, and quotes keep words together', () => {
  assert.deepEqual(splitWords('  pass show  backup '), ['pass', 'show', 'backup']);
  assert.deepEqual(splitWords(`cat '/etc/my key' "/a b/c"`), ['cat', '/etc/my key', '/a b/c']);
  assert.deepEqual(splitWords(`--key="a b"'c'`), ['--key=a bc']);
  assert.deepEqual(splitWords(`a\\ b "say \\"hi\\"" ''`), ['a b', 'say "hi"', '']);
  assert.deepEqual(splitWords(''), []);
});

test('a quote without its end is refused', () => {
  assert.throws(() => splitWords(`cat "x`), { code: 'usage' });
  assert.throws(() => splitWords(`cat 'x`), { code: 'usage' });
  assert.throws(() => splitWords('cat \\'), { code: 'usage' });
});

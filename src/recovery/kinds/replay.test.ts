import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAllAsked } from './replay.ts';

test('all that was committed is not looked for where a place of the log can’t be asked; a moment that is named is', () => {
  const latest = { moment: { kind: 'latest' } } as const;
  assertAllAsked('shop-db', latest, []);
  assertAllAsked('shop-db', { moment: { kind: 'position', at: 5n } }, ['far']);
  assert.throws(() => assertAllAsked('shop-db', latest, ['far']), {
    code: 'refused',
    message: /far can’t be asked/,
  });
});

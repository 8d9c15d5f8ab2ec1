import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { passwordIn } from './password-file.ts';

const wanted = { host: 'db1', port: '5432', database: 'shop', user: 'holdfast' };

test('the first line that fits counts, with anything for a star', () => {
  const text =
    '# db1:5432:shop:holdfast:no\n\nno line\ndb1:5432:other:holdfast:no\n*:*:shop:holdfast:first\n*:*:*:*:later\n';
  assert.equal(passwordIn(text, wanted), 'first');
  assert.equal(passwordIn(text, { ...wanted, database: 'elsewhere' }), 'later');
  assert.equal(passwordIn('db1:5433:*:*:no\r\ndb1:5432:*:*:yes\r\n', wanted), 'yes');
  assert.equal(passwordIn('db1:5432:shop', wanted), undefined);
});

test('whatever is written with its colons and backslashes escaped is read back', () => {
  const part = fc.stringMatching(/^[^\r\n\0]{1,12}$/);
  const escaped = (value: string): string => value.replaceAll(/[:\\]/g, String.raw`\$&`);
  const fields = fc.record({ host: part, port: part, database: part, user: part, password: part });
  fc.assert(
    fc.property(fields, ({ password, ...given }) => {
      fc.pre(!Object.values(given).includes('*') && !given.host.startsWith('#'));
      const line = [given.host, given.port, given.database, given.user, password].map(escaped).join(':');
      assert.equal(passwordIn(`${line}\n`, given), password);
    }),
    { numRuns: 300 },
  );
});

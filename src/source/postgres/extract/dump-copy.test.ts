import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../../errors/error.ts';
import { copyOfDump } from './dump-copy.ts';

const copying = copyOfDump({ component: 'shop-db', programs: [] });

const facts = {
  ...{
    owner: 'postgres',
    encoding: 'UTF8',
    collate: 'C',
    ctype: 'C',
    provider: 'c',
    locale: null,
    collationVersion: null,
  },
  ...{ settings: [], extensions: [], roles: [], format: 'custom', bytes: 1 },
};

/** A dump of databases by what the address leads to; each as large as its name is long. */
function dumped(database: string, names: readonly string[]): string {
  const one = (name: string): unknown => ({ ...facts, name, liveBytes: name.length, path: `databases/${name}` });
  const cluster = { version: '18.4', major: 18, superuser: 'postgres', globals: 'with passwords' };
  return JSON.stringify({ format: 1, method: 'logical', ...cluster, database, databases: names.map(one) });
}

test('a part of a dump is of the database that is named, else of the one that the address leads to, and never of another', () => {
  const names = ['shop', 'billing'];
  assert.equal(copying.expect(dumped('shop', names), undefined).bytes, 'shop'.length);
  assert.equal(copying.expect(dumped('shop', names), 'billing').bytes, 'billing'.length);
  assert.throws(
    () => copying.expect(dumped('shop', ['billing']), undefined),
    (error) => hasCode(error, 'point-not-found'),
  );
  assert.throws(
    () => copying.expect(dumped('shop', names), 'gone'),
    (error) => hasCode(error, 'point-not-found'),
  );
});

test('an address that leads to no dump’s database but postgres leaves only one to choose', () => {
  assert.equal(copying.expect(dumped('postgres', ['billing']), undefined).bytes, 'billing'.length);
  assert.throws(
    () => copying.expect(dumped('postgres', ['shop', 'billing']), undefined),
    (error) => hasCode(error, 'usage'),
  );
});

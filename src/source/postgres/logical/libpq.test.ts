import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../../../errors/error.ts';
import { libpqEnvironment } from './libpq.ts';

const own = { PGCONNECT_TIMEOUT: '30', PGAPPNAME: 'holdfast' };

test('an address becomes variables of libpq, with what is escaped in it', () => {
  assert.deepEqual(libpqEnvironment('postgres://ann:a%40b%3A%2F@[::1]:5433/shop%20db?sslmode=require'), {
    ...own,
    PGHOST: '::1',
    PGPORT: '5433',
    PGUSER: 'ann',
    PGPASSWORD: 'a@b:/',
    PGDATABASE: 'shop db',
    PGSSLMODE: 'require',
  });
  assert.deepEqual(libpqEnvironment('postgresql:///shop?host=/run/postgresql&user=ann'), {
    ...own,
    PGHOST: '/run/postgresql',
    PGUSER: 'ann',
    PGDATABASE: 'shop',
  });
});

test('another database than that of the address is taken as it stands, whatever it looks like', () => {
  assert.equal(libpqEnvironment('postgres://h/shop', 'host=elsewhere')['PGDATABASE'], 'host=elsewhere');
});

for (const url of [
  'mysql://localhost/shop',
  'postgres://user:kanarienvogel@[::/shop',
  'postgres://h/%zz',
  '',
  'postgres://h/?kanarienvogel=1&passfile=x',
]) {
  test(`what is no address, or says what is not known (${url.slice(0, 12)}), is refused without its values`, () => {
    assert.throws(
      () => libpqEnvironment(url),
      (error) => hasCode(error, 'refused', 'unsupported') && !/user:|=1/.test(error.message),
    );
  });
}

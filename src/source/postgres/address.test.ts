import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { Secret } from '../../secret/secret.ts';
import { completeAddress } from './address.ts';
import { addressParts } from './logical/libpq.ts';

const passwordFor = async (url: string): Promise<string | null> =>
  new URL(await completeAddress(new Secret(url))).searchParams.get('password');

test('an address without a password takes it from the environment, else from the password file', async () => {
  await using dir = await tempDir();
  process.env['PGPASSFILE'] = dir.file('pgpass');
  assert.equal(await passwordFor('postgres://ann@db1/shop'), null, 'there is no such file');
  const user = userInfo().username;
  const lines = [
    'db1:5432:shop:ann:of the database',
    'db1:5432:replication:*:of replication',
    `localhost:5433:${user}:*:here`,
  ];
  await writeFile(dir.file('pgpass'), lines.join('\n'));
  await chmod(dir.file('pgpass'), 0o600);
  assert.equal(await passwordFor('postgres://ann@db1/shop'), 'of the database');
  assert.equal(await passwordFor('postgres://bob@db1/shop'), 'of replication');
  assert.equal(await passwordFor('postgres:///?host=/var/run/postgresql&port=5433'), 'here');
  assert.equal(await passwordFor('postgres://ann@db2/shop'), null);
  const own = 'postgres://ann:own@db1/shop';
  assert.equal(await completeAddress(new Secret(own)), own);
  process.env['PGPASSWORD'] = 'of the environment';
  assert.equal(await passwordFor('postgres://ann@db1/shop'), 'of the environment');
});

test('a password of a file goes to the server that its line is for, and what surrounds us counts for all clients', async () => {
  await using dir = await tempDir();
  delete process.env['PGPASSWORD'];
  process.env['PGPASSFILE'] = dir.file('pgpass');
  await writeFile(dir.file('pgpass'), 'localhost:5432:*:*:of here\ndb7:5433:*:ann:of there\n', { mode: 0o600 });
  const complete = async (url: string): Promise<object> =>
    Object.fromEntries(addressParts(await completeAddress(new Secret(url))));
  const here = { host: 'localhost', port: '5432', user: userInfo().username, dbname: 'shop', password: 'of here' };
  assert.deepEqual(await complete('postgres:///shop'), here);
  Object.assign(process.env, { PGHOST: 'db7', PGPORT: '5433', PGUSER: 'ann' });
  try {
    const there = { host: 'db7', port: '5433', user: 'ann', dbname: 'shop' };
    assert.deepEqual(await complete('postgres:///shop'), { ...there, password: 'of there' });
    assert.deepEqual(await complete('postgres:///shop?user=bob'), { ...there, user: 'bob' });
  } finally {
    for (const name of ['PGHOST', 'PGPORT', 'PGUSER']) delete process.env[name];
  }
});

test('a service stands for what the address does not say itself', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('other'), '[shop]\nhost=never\n');
  process.env['PGSERVICEFILE'] = dir.file('other');
  const text =
    '# ours\n[books]\nhost=db9\n[shop]\nhost = db2\nport=5433\nport=1\ndbname=shop\nuser=ann\npassword=a b\n';
  await writeFile(dir.file('services'), text.replace('host = db2', 'host=db2'));
  const named = `servicefile=${dir.file('services')}`;
  const address = await completeAddress(new Secret(`postgres:///?user=bob&service=shop&${named}`));
  const parts = { host: 'db2', port: '5433', dbname: 'shop', user: 'bob', password: 'a b' };
  assert.deepEqual(Object.fromEntries(addressParts(address)), parts);
  assert.match(await completeAddress(new Secret('postgres:///?service=shop')), /host=never/);
  await assert.rejects(completeAddress(new Secret(`postgres:///?service=gone&${named}`)), /has the service gone/);
});

test('what is no address is left to whoever connects', async () => {
  for (const text of ['host=db1 dbname=shop', 'http://db1/shop'])
    assert.equal(await completeAddress(new Secret(text)), text);
});

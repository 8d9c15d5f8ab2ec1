import assert from 'node:assert/strict';
import { chown, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { hostIdentity, type HostIdentity } from '../../host/identity.ts';
import { checkGrant, issueGrant } from './grant.ts';

const here: HostIdentity = { name: 'db1', machine: '5f3a', boot: 'first' };

async function directory(path: string, systemIdentifier = 7_312_000_000_000_000_001n): Promise<string> {
  await mkdir(`${path}/global`, { recursive: true });
  const control = Buffer.alloc(8192);
  control.writeBigUInt64LE(systemIdentifier);
  await writeFile(`${path}/global/pg_control`, control);
  return path;
}

async function refusal(dir: TempDir, data: string, host = here): Promise<string> {
  const verdict = await checkGrant(dir.file('state'), 'shop-db', data, host);
  assert.equal(verdict.state, 'refused');
  assert.match(verdict.reason, /shop-db/);
  assert.match(verdict.next, /Nothing was written/);
  return `${verdict.reason} ${verdict.next}`;
}

test('without a grant nothing is let in, and who may issue one is told', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  assert.match(await refusal(dir, data), /no grant .* `holdfast postgres setup shop-db --apply`/);
});

test('the directory that has the grant is let in, through a link too; the grant is readable by its user alone', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await symlink(data, dir.file('link'));
  for (const path of [data, dir.file('link')]) {
    const verdict = await checkGrant(dir.file('state'), 'shop-db', path, here);
    assert.equal(verdict.state, 'ok');
    assert.equal(verdict.directory.systemIdentifier, '7312000000000000001');
  }
  assert.deepEqual(await readdir(dir.file('state/grants')), ['shop-db.json']);
  assert.equal((await stat(dir.file('state/grants/shop-db.json'))).mode & 0o777, 0o600);
  assert.match(
    (await checkGrant(dir.file('state'), 'other-db', data, here)).state,
    /refused/,
    'it is of one component alone',
  );
});

test('a grant is written and given away where it belongs, and nowhere that a link in its place leads to', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  if (process.getuid?.() === 0) await chown(data, 65534, 65534);
  for (const folder of ['state', 'elsewhere']) await mkdir(dir.file(folder), { mode: 0o755 });
  const { uid } = await stat(dir.file('elsewhere'));
  await symlink(dir.file('elsewhere'), dir.file('state/grants'));
  await assert.rejects(issueGrant(dir.file('state'), 'shop-db', data, here), { code: 'damaged', message: /is a link/ });
  assert.deepEqual(await readdir(dir.file('elsewhere')), []);
  assert.equal((await stat(dir.file('elsewhere'))).uid, uid);
  await rm(dir.file('state/grants'));
  await mkdir(dir.file('state/grants'));
  await writeFile(dir.file('elsewhere/file'), 'kept');
  await symlink(dir.file('elsewhere/file'), dir.file('state/grants/shop-db.json'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  assert.equal((await stat(dir.file('elsewhere/file'))).uid, uid);
  assert.equal((await stat(dir.file('state/grants'))).uid, (await stat(data)).uid);
  assert.equal((await checkGrant(dir.file('state'), 'shop-db', data, here)).state, 'ok');
});

test('a copy beside its original is refused, and the way out is told', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await cp(data, dir.file('copy'), { recursive: true });
  assert.match(await refusal(dir, dir.file('copy')), /archive_mode=off.*--apply --adopt .*\/copy`/);
});

test('a copy that took the place of its original under the same path is refused until it is adopted', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await cp(data, dir.file('copy'), { recursive: true });
  await rename(data, dir.file('old'));
  await rename(dir.file('copy'), data);
  assert.match(await refusal(dir, data), /was replaced/);
  assert.match(await refusal(dir, dir.file('old')), /is written by/);
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  assert.equal((await checkGrant(dir.file('state'), 'shop-db', data, here)).state, 'ok');
  assert.match(await refusal(dir, dir.file('old')), /is written by/);
});

test('another cluster in the same directory is refused', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await directory(data, 7_312_000_000_000_000_002n);
  assert.match(await refusal(dir, data), /another cluster now, 7312000000000000002 in place of 7312000000000000001/);
});

test('another host is refused, by its name and by its machine-id; a start of the host changes nothing', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  assert.match(await refusal(dir, data, { ...here, name: 'db2' }), /another host, db1/);
  assert.match(await refusal(dir, data, { ...here, machine: '77aa' }), /another host/);
  assert.match(await refusal(dir, data, { ...here, machine: undefined }), /another host/);
  const restarted = { ...here, boot: 'second' };
  assert.equal((await checkGrant(dir.file('state'), 'shop-db', data, restarted)).state, 'ok');
});

test('a device number is compared within one run of the host, in which it can’t change', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  const path = dir.file('state/grants/shop-db.json');
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  const grant = await readFile(path, 'utf8');
  await writeFile(path, grant.replace(/"device":"\d+"/, '"device":"999999"'));
  assert.match(await refusal(dir, data), /was replaced/);
  assert.equal((await checkGrant(dir.file('state'), 'shop-db', data, { ...here, boot: 'second' })).state, 'ok');
});

test('a grant that is damaged or of a later version, and a directory that is gone, let nobody in', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  const path = dir.file('state/grants/shop-db.json');
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await writeFile(path, '{"version":1}');
  const damaged = await checkGrant(dir.file('state'), 'shop-db', data, here);
  assert.equal(damaged.state, 'refused');
  await writeFile(path, '{"version":2}');
  const later = await checkGrant(dir.file('state'), 'shop-db', data, here);
  assert.ok(later.state === 'refused' && /later version/.test(later.reason));
  await issueGrant(dir.file('state'), 'shop-db', data, here);
  await rm(data, { recursive: true });
  const gone = await checkGrant(dir.file('state'), 'shop-db', data, here);
  assert.ok(gone.state === 'refused' && /data directory .* can’t be read/.test(gone.reason));
});

test('this host has a name, and the same identity each time', () => {
  assert.ok(hostIdentity().name.length > 0);
  assert.deepEqual(hostIdentity(), hostIdentity());
});

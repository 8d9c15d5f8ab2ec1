import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pinSigner } from '../src/record/pins.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk, runProgram } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const env = { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined };

test('config init writes a policy that holds and a password nobody else can read, and replaces nothing', async () => {
  await using dir = await tempDir();
  const options = { cwd: dir.path, env };
  await runOk(holdfastProgram, ['config', 'init'], options);
  const password = await readFile(dir.file('holdfast-password'), 'utf8');
  assert.match(password, /^[A-Za-z0-9+/]{32}\n$/);
  assert.equal((await stat(dir.file('holdfast-password'))).mode & 0o777, 0o600);
  await runOk(holdfastProgram, ['config', 'check'], options);
  const again = await runProgram(holdfastProgram, ['config', 'init'], options);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /holdfast\.yaml is there already, and is not replaced/);
  const other = ['config', 'init', '--output', 'other.yaml', '--place', 'sftp:backup@host:/srv'];
  assert.match((await runOk(holdfastProgram, other, options)).toString(), /is taken as it is/);
  assert.equal(await readFile(dir.file('holdfast-password'), 'utf8'), password);
  assert.match(await readFile(dir.file('other.yaml'), 'utf8'), /url: "sftp:backup@host:\/srv"/);
});

test('the recovery sheet has addresses and restic’s commands, and passwords only on demand', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('password'), 'kana<rie>nvogel');
  const repository = `{ url: /srv/b&w, password: { file: ${dir.file('password')} }, site: cellar }`;
  const component = '{ files: { paths: [/srv] }, backups: { r: { every: 1d, to: { near: { keep: { last: 1 } } } } } }';
  await writeFile(
    dir.file('holdfast.yaml'),
    `version: 1\nrepositories: { near: ${repository} }\ncomponents: { shop: ${component} }\n`,
  );
  const sheet = async (...args: readonly string[]): Promise<string> =>
    (await runOk(holdfastProgram, ['config', 'sheet', ...args], { cwd: dir.path, env })).toString();
  const plain = await sheet('--state-dir', dir.file('state'));
  assert.match(plain, /WHOSE RECORDS ARE BELIEVED[^]*nobody’s yet/);
  const key = `${'k'.repeat(43)}=`;
  await pinSigner({ folder: dir.file('state') }, 'host-1', key);
  assert.ok((await sheet('--state-dir', dir.file('state'))).includes(`  ${key} (host-1)\n`));
  assert.match(plain, /near \(cellar\)\n {2}address: {2}\/srv\/b&w\n {2}password: not on this sheet; kept in: file /);
  assert.match(plain, /shop: near[^]*restic restore latest/);
  assert.ok(!plain.includes('kana'));
  assert.match(await sheet('--with-passwords'), /password: kana<rie>nvogel/);
  const html = await sheet('--html', '--with-passwords');
  assert.match(html, /^<!doctype html>[^]*\/srv\/b&amp;w[^]*kana&lt;rie&gt;nvogel/);
});

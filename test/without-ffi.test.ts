import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { holdfastOk, runHoldfast } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

const withoutFfi = { env: { NODE_OPTIONS: '--no-experimental-ffi' } };
const lost = /this host lacks what it takes: extended attributes and ACLs are neither read nor restored/;

test('without node:ffi files come back all the same, and each summary names what was not preserved', async () => {
  await using dir = await tempDir();
  const at = { repository: dir.file('repository'), password: 'secret' };
  await writeFile(dir.file('letter'), 'Dear reader');
  await holdfastOk(at, ['init'], withoutFfi);
  assert.match(await holdfastOk(at, ['backup', dir.file('letter')], withoutFfi), lost);
  assert.match(await holdfastOk(at, ['restore', 'latest', '--target', dir.file('to')], withoutFfi), lost);
  assert.equal(await readFile(dir.file('to', dir.file('letter')), 'utf8'), 'Dear reader');
});

test('with node:ffi no summary names a limit of the host, and its experimental warning reaches nobody', async () => {
  await using dir = await tempDir();
  const at = { repository: dir.file('repository'), password: 'secret' };
  await writeFile(dir.file('letter'), 'Dear reader');
  await holdfastOk(at, ['init']);
  const { code, stdout, stderr } = await runHoldfast(at, ['backup', dir.file('letter')]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.doesNotMatch(stdout.toString(), /this host/);
});

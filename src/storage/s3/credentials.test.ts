import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { credentialsOf, removersCredentials, type Environment } from './credentials.ts';

async function keyOf(environment: Environment): Promise<string | undefined> {
  const credentials = await credentialsOf(environment, undefined);
  const { accessKeyId } = typeof credentials === 'function' ? await credentials() : credentials;
  return accessKeyId;
}

test('the environment’s keys go first, AWS’s names before MinIO’s', async () => {
  const minio = { MINIO_ACCESS_KEY: 'theirs', MINIO_SECRET_KEY: 'x' };
  assert.equal(await keyOf(minio), 'theirs');
  assert.equal(await keyOf({ ...minio, AWS_ACCESS_KEY_ID: 'ours', AWS_SECRET_ACCESS_KEY: 'x' }), 'ours');
});

test('one key of the environment without the other is usage', async () => {
  await assert.rejects(keyOf({ AWS_ACCESS_KEY_ID: 'ours' }), {
    code: 'usage',
    message: /AWS_SECRET_ACCESS_KEY is empty/,
  });
  await assert.rejects(keyOf({ AWS_SECRET_ACCESS_KEY: 'x' }), { code: 'usage', message: /AWS_ACCESS_KEY_ID is empty/ });
});

test('without keys in the environment a profile of the shared file is taken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-credentials-'));
  try {
    const file = join(folder, 'credentials');
    await writeFile(file, '[writer]\naws_access_key_id = of-the-writer\naws_secret_access_key = x\n');
    assert.equal(await keyOf({ AWS_PROFILE: 'writer', AWS_SHARED_CREDENTIALS_FILE: file }), 'of-the-writer');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('removals go by credentials of their own where they are set', async () => {
  assert.equal(
    await removersCredentials({ AWS_ACCESS_KEY_ID: 'writer', AWS_SECRET_ACCESS_KEY: 'x' }, undefined),
    undefined,
  );
  const environment = { HOLDFAST_DELETE_ACCESS_KEY_ID: 'pruner', HOLDFAST_DELETE_SECRET_ACCESS_KEY: 'x' };
  const credentials = await removersCredentials(environment, undefined);
  assert.deepEqual(credentials, { accessKeyId: 'pruner', secretAccessKey: 'x' });
  const half = { HOLDFAST_DELETE_ACCESS_KEY_ID: 'pruner' };
  await assert.rejects(removersCredentials(half, undefined), { code: 'usage' });
});

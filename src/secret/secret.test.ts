import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { readSecret, Secret } from './secret.ts';

const never = new AbortController().signal;

test('a password file loses its line end and its byte order mark', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'holdfast-secret-'));
  const path = join(folder.path, 'password');
  const forms = [
    Buffer.from(' s3crét \n'),
    Buffer.from('\ufeffs3crét\r\n'),
    Buffer.from('\ufeffs3crét\n', 'utf16le'),
    Buffer.from('\ufeffs3crét', 'utf16le').swap16(),
  ];
  for (const bytes of forms) {
    await writeFile(path, bytes);
    const secret = await readSecret({ kind: 'file', path }, never);
    assert.equal(secret.reveal(), 's3crét');
  }
});

test('a password command is run without a shell, and its failure is told without its output', async () => {
  const line = `${process.execPath} -e 'console.log("p w")'`;
  assert.equal((await readSecret({ kind: 'command', line }, never)).reveal(), 'p w');
  const failing = `${process.execPath} -e 'console.log("hidden"); process.exit(3)'`;
  await assert.rejects(readSecret({ kind: 'command', line: failing }, never), (error: Error) => {
    return error.message.endsWith('ended with exit code 3') && !error.message.includes('hidden');
  });
});

test('an empty secret, and a file without end, are refused', async () => {
  const empty = { kind: 'command', line: 'true' } as const;
  await assert.rejects(readSecret(empty, never), {
    code: 'refused',
    message: 'what the password command prints is empty',
  });
  await assert.rejects(readSecret({ kind: 'file', path: '/dev/null' }, never), { message: /\/dev\/null is empty/ });
  await assert.rejects(readSecret({ kind: 'file', path: '/dev/zero' }, never), {
    message: /larger than 1048576 bytes/,
  });
});

test('a word in place of a command that may be the secret itself is not repeated', async () => {
  await assert.rejects(readSecret({ kind: 'command', line: 'Hunter2!' }, never), (error: Error) => {
    return error.message.startsWith('the password command can') && !inspect(error.message).includes('Hunter2');
  });
});

test('a missing file or program is named', async () => {
  await assert.rejects(
    readSecret({ kind: 'file', path: '/nowhere/at/all' }, never),
    /\/nowhere\/at\/all does not exist/,
  );
  await assert.rejects(readSecret({ kind: 'command', line: '/nowhere/at/all' }, never), /can't be run/);
});

test('a secret shows nothing of itself', () => {
  const secret = new Secret('hunter2');
  for (const shown of [String(secret), JSON.stringify({ secret }), inspect({ secret })]) {
    assert.ok(!shown.includes('hunter2'));
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { test } from 'node:test';
import { text } from 'node:stream/consumers';
import { holdfastProgram } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command while a link in the storage leads nowhere but to itself, until it is said to be tried again. */
async function throughLoop(args: readonly string[], link: string): Promise<Ended> {
  symlinkSync(link, link);
  const env = { ...process.env, RESTIC_PASSWORD: 'secret' };
  const child = spawn(holdfastProgram, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
  const output = text(child.stdout);
  let told = '';
  child.stderr.on('data', (part: Buffer) => {
    const before = told;
    told += part.toString();
    if (!before.includes('trying again') && told.includes('trying again')) unlinkSync(link);
  });
  await once(child, 'close');
  assert.match(told, /failed, trying again in \d\.\d s: .*(symbolic links|ELOOP)/);
  return { code: child.exitCode, output: await output };
}

test('init outlasts an error of the storage that passes, and says that it tries again', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('repository'));
  const { code, output } = await throughLoop(['-r', dir.file('repository'), 'init'], dir.file('repository/config'));
  assert.equal(code, 0);
  assert.match(output, /^created repository/);
  assert.ok(readdirSync(dir.file('repository')).includes('config'));
});

test('doctor storage outlasts an error of the storage that passes', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('storage'));
  const { code, output } = await throughLoop(['doctor', 'storage', dir.file('storage')], dir.file('storage/holdfast'));
  assert.equal(code, 0);
  assert.match(output, /the storage keeps every promise that was tried/);
});

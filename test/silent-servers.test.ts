import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openStorage } from '../src/storage/open.ts';
import { RetryingStorage, type RetryPolicy } from '../src/storage/retry.ts';
import { openS3 } from '../src/storage/s3.ts';
import type { Storage } from '../src/storage/storage.ts';
import { answering, type Answer } from './support/answering.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';

const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'of-nobody-else' };
const silence: Answer = () => undefined;
const timeout = 300_000;

const policy: RetryPolicy = {
  ...{ attempts: 5, untilMs: 20_000, baseMs: 1, maxMs: 1, timeoutMs: 500, slowestBytesPerSecond: 1e9 },
};

function patient(storage: Storage): Storage {
  return new RetryingStorage(storage, { clock: systemClock, listener: () => undefined, policy });
}

/** Waits until no connection is left. */
async function closed(connections: () => Promise<number>): Promise<void> {
  const until = AbortSignal.timeout(30_000);
  while ((await connections()) > 0) await systemClock.sleep(10, until);
}

async function gone(pid: number): Promise<void> {
  const until = AbortSignal.timeout(30_000);
  while (existsSync(`/proc/${pid}`)) await systemClock.sleep(10, until);
}

for (const scheme of ['s3', 'rest']) {
  test(`making a repository at a ${scheme} server that gives no answer ends in bounded time`, { timeout }, async () => {
    await using server = await answering(silence);
    const address = `${scheme}:${server.endpoint}/bucket`;
    const opening = openStorage(address, { create: true, environment }, { patienceMs: 300 });
    await assert.rejects(opening, { code: 'storage-timeout' });
    await closed(server.connections);
  });

  test(`${scheme}: an object that stands still half-way ends, with its connection`, { timeout }, async () => {
    await using server = await answering((_, response) => {
      if (server.requests.length > 2) response.end('whole');
      else response.writeHead(200, { 'content-length': 10 }).write('half');
    });
    const options = new Map(['s3.region', 's3.connections', 'rest.connections'].map((name) => [name, '1']));
    await using storage = patient(await openStorage(`${scheme}:${server.endpoint}/bucket`, { environment, options }));
    assert.equal(Buffer.from(await storage.get('config', { maxBytes: 100 })).toString(), 'whole');
    assert.equal(server.requests.length, 3);
  });

  test(`${scheme}: a put that nobody reads ends with the signal, and its connection with it`, { timeout }, async () => {
    await using server = await answering((asked) => void asked.pause());
    const options = new Map([['s3.region', 'any']]);
    await using storage = await openStorage(`${scheme}:${server.endpoint}/bucket`, { environment, options });
    const signal = AbortSignal.timeout(300);
    const putting = storage.put('config', [Buffer.alloc(20 * 1024 * 1024)], { signal });
    await assert.rejects(putting, (error) => error === signal.reason);
    for (const asked of server.requests) asked.resume(); // who doesn't read learns of no end
    await closed(server.connections);
  });
}

test('opening over SFTP ends in bounded time, and the program with it', { timeout }, async () => {
  await using dir = await tempDir();
  const command = `sh -c 'echo $$ > ${dir.file('pid')}; exec sleep 1000'`;
  const options = new Map([['sftp.command', command]]);
  const opening = openStorage('sftp:host:path', { options }, { patienceMs: 1000 });
  await assert.rejects(opening, { code: 'storage-timeout' });
  await gone(Number(await readFile(dir.file('pid'), 'utf8')));
});

test('who opens and is interrupted learns the reason', { timeout }, async () => {
  await using server = await answering(silence);
  const signal = AbortSignal.timeout(200);
  const opening = openStorage(`s3:${server.endpoint}/bucket`, { create: true, environment }, { signal });
  await assert.rejects(opening, (error) => error === signal.reason);
  await closed(server.connections);
});

for (const scheme of ['s3', 'rest']) {
  test(`a command that waits for a silent ${scheme} server ends with the first signal`, { timeout }, async () => {
    await using server = await answering(silence);
    const env = {
      ...process.env,
      ...environment,
      RESTIC_PASSWORD: 'x',
      RESTIC_REPOSITORY: `${scheme}:${server.endpoint}/b`,
    };
    const child = spawn(holdfastProgram, ['snapshots'], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    try {
      const until = AbortSignal.timeout(120_000);
      while (server.requests.length === 0) await systemClock.sleep(10, until);
      child.kill('SIGINT');
      assert.deepEqual(await ended, [130, null]);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });
}

test('a server that gave no answer at first is asked anew, and closing waits for none', { timeout }, async () => {
  await using server = await answering((asked, response) => {
    if (server.requests.length === 1) return;
    response.end(asked.url?.includes('location') ? '<LocationConstraint/>' : 'x');
  });
  const settings = { environment, throttles: {} };
  await using storage = patient(await openS3(`${server.endpoint}/bucket`, settings, { answerMs: 400 }));
  assert.equal((await storage.get('config', { maxBytes: 100 })).length, 1);
  await using other = await answering(silence);
  const silent = await openStorage(`s3:${other.endpoint}/bucket`, { environment });
  const signal = AbortSignal.timeout(200);
  await assert.rejects(silent.get('config', { signal }));
  await silent[Symbol.asyncDispose]();
  await closed(other.connections);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openS3 } from '../src/storage/s3.ts';
import { withoutGo } from './servers/go-program.ts';
import { startRestServer } from './servers/rest-server.ts';
import { versitygw } from './servers/versitygw.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

interface Place {
  readonly url: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The exit code of a run that nobody ends. */
  readonly code: 0 | 1;
  /** Everything that is there, be it hidden or in the making. */
  readonly all: () => Promise<readonly string[]>;
}

const kills = 3;

/** Runs it, and ends it by a signal once so much of a whole run's time has gone. */
async function runUntil({ url, env }: Place, afterMs: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const child = spawn(holdfastProgram, ['doctor', 'storage', url], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  const ended = new AbortController();
  const killing = systemClock.sleep(afterMs, ended.signal).then(
    () => void child.kill(signal),
    () => undefined, // it ended before
  );
  await closed;
  ended.abort();
  await killing;
  return child.exitCode;
}

async function wholeRunMs({ url, env, code: expected }: Place): Promise<number> {
  const start = systemClock.monotonicMs();
  const { code, stdout, stderr } = await runProgram(holdfastProgram, ['doctor', 'storage', url], {
    ...(env && { env }),
  });
  assert.equal(code, expected, `${stdout.toString()}\n${stderr}`);
  return systemClock.monotonicMs() - start;
}

async function assertKillsLeaveNothing(place: Place): Promise<void> {
  const before = await place.all();
  const ms = await wholeRunMs(place);
  assert.deepEqual(await place.all(), before);
  let left = 0;
  for (let kill = 0; kill < kills; kill++) {
    await runUntil(place, (ms * (kill + 0.7)) / kills, 'SIGKILL');
    left += (await place.all()).length - before.length;
  }
  assert.ok(left > 0, 'no kill came in time');
  await wholeRunMs(place);
  assert.deepEqual(await place.all(), before);
  assert.equal(await runUntil(place, ms / 2, 'SIGTERM'), 130);
  assert.deepEqual(await place.all(), before);
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}

test('of doctor storage, killed at any moment, the next run leaves nothing in a folder', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('storage/data/ab'), { recursive: true });
  await assertKillsLeaveNothing({
    url: dir.file('storage'),
    code: 0,
    all: async () => filesBelow(dir.file('storage')),
  });
  assert.deepEqual(readdirSync(dir.file('storage/holdfast/conformance')), []);
});

test(
  'of doctor storage, killed at any moment, the next run leaves nothing on S3, neither versions nor markers',
  { skip: withoutGo() },
  async () => {
    await using server = await versitygw();
    const options = new Map([['s3.lock', '1h']]);
    const settings = { create: true, environment: server.owner, throttles: {}, options } as const;
    await using storage = await openS3(`${server.endpoint}/bucket/at`, settings);
    const all = async (): Promise<readonly string[]> => {
      const versions = await Array.fromAsync(storage.versions?.list('') ?? []);
      const uploads = await storage.removeLeftovers?.(BigInt(Date.parse('2100-01-01')) * 1_000_000n);
      return [...versions.map(({ key, version }) => `${key} ${version}`), ...(uploads ? [`${uploads} uploads`] : [])];
    };
    // On a bucket with versions it refuses to create what a marker hides, unlike Amazon and MinIO.
    await assertKillsLeaveNothing({ url: `s3:${server.endpoint}/bucket/at`, env: server.owner, code: 1, all });
  },
);

test(
  'of doctor storage, killed at any moment, the next run leaves nothing behind a REST server',
  { skip: withoutGo() },
  async () => {
    await using server = await startRestServer();
    const url = `rest:http://127.0.0.1:${server.port}/nothing/`;
    await assertKillsLeaveNothing({ url, code: 0, all: async () => filesBelow(server.dir.path) });
  },
);

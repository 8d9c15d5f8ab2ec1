import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { RetryingStorage } from '../src/storage/retry.ts';
import { openS3 } from '../src/storage/s3.ts';
import { withoutGo } from './servers/go-program.ts';
import { startRestServer } from './servers/rest-server.ts';
import { versitygw } from './servers/versitygw.ts';
import { filesBelow } from './support/files-below.ts';
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

/** By how many there are now, and were at most since it began; what was killed before it left some, too. */
type Moment = (count: number, most: number) => boolean;

const moments: readonly Moment[] = [
  (count) => count > 1,
  (count) => count > 60,
  (count) => count > 700,
  (count, most) => most > 700 && count < most - 50,
];

/** Runs it, and ends it by a signal at a moment; resolves with its exit code. */
async function runUntil(place: Place, moment: Moment, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const child = spawn(holdfastProgram, ['doctor', 'storage', place.url], {
    env: { ...process.env, ...place.env },
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  for (let [count, most] = [0, 0]; !moment(count, most);) {
    assert.equal(child.exitCode, null, 'it ended before its moment came');
    await systemClock.sleep(10);
    count = (await place.all()).length;
    most = Math.max(count, most);
  }
  child.kill(signal);
  await closed;
  return child.exitCode;
}

async function runWhole({ url, env, code: expected }: Place): Promise<void> {
  const options = { ...(env && { env }), timeoutMs: 300_000 };
  const { code, stdout, stderr } = await runProgram(holdfastProgram, ['doctor', 'storage', url], options);
  assert.equal(code, expected, `${stdout.toString()}\n${stderr}`);
}

async function assertKillsLeaveNothing(place: Place): Promise<void> {
  assert.deepEqual(await place.all(), []);
  for (const moment of moments) {
    await runUntil(place, moment, 'SIGKILL');
    assert.notDeepEqual(await place.all(), []);
  }
  await runWhole(place);
  assert.deepEqual(await place.all(), []);
  assert.equal(await runUntil(place, (count) => count > 300, 'SIGTERM'), 130);
  assert.deepEqual(await place.all(), []);
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
    const opened = await openS3(`${server.endpoint}/bucket/at`, settings);
    // A list fails there now and then while objects are removed.
    await using storage = new RetryingStorage(opened, { clock: systemClock, listener: silent });
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

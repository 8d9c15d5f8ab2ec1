import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openStorage } from '../src/storage/open.ts';
import { RetryingStorage, retryPolicy } from '../src/storage/retry.ts';
import type { StorageSettings } from '../src/storage/settings.ts';
import type { Storage } from '../src/storage/storage.ts';
import { withoutGo } from './servers/go-program.ts';
import { cuttingProxy, httpProxy, type FaultFor, type Proxy } from './servers/proxy.ts';
import { startRestServer, withoutRestServer } from './servers/rest-server.ts';
import { startSshd, withoutSshd } from './servers/sshd.ts';
import { versitygw } from './servers/versitygw.ts';
import { holdfastOk } from './support/holdfast.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const timeout = 300_000;
const mebibyte = 1024 * 1024;
const key = 'config';

interface Trial extends AsyncDisposable {
  readonly storage: Storage;
  readonly notes: readonly unknown[];
}

/** Requests that stand still for two seconds are stuck. */
async function trial(url: string, settings: StorageSettings): Promise<Trial> {
  const notes: unknown[] = [];
  const inner = await openStorage(url, { ...settings, create: true });
  const policy = { ...retryPolicy({ timeoutMs: 2000 }), baseMs: 1, maxMs: 1 };
  const storage = new RetryingStorage(inner, {
    clock: systemClock,
    policy,
    listener: (event) => void notes.push(event),
  });
  return { storage, notes, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() };
}

interface Place {
  readonly name: string;
  readonly skip: string | false;
  readonly start: (faultFor: FaultFor) => Promise<AsyncDisposable & Started>;
}

interface Started {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function behind(server: AsyncDisposable, proxy: Proxy, started: Started): Promise<AsyncDisposable & Started> {
  const dispose = async (): Promise<void> => {
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  return { ...started, [Symbol.asyncDispose]: dispose };
}

const places: readonly Place[] = [
  {
    name: 'S3',
    skip: withoutGo(),
    start: async (faultFor) => {
      const server = await versitygw();
      const proxy = await httpProxy(server.running.port, faultFor);
      const url = `s3:http://127.0.0.1:${proxy.port}/bucket`;
      return await behind(server, proxy, { url, environment: server.owner });
    },
  },
  {
    name: 'REST',
    skip: withoutRestServer(),
    start: async (faultFor) => {
      const server = await startRestServer();
      const proxy = await httpProxy(server.port, faultFor);
      return await behind(server, proxy, { url: `rest:http://127.0.0.1:${proxy.port}/team/`, environment: {} });
    },
  },
];

for (const { name, skip, start } of places) {
  test(
    `${name}: an upload and a download that stand still half-way are tried again after that time`,
    { skip, timeout },
    async () => {
      let next: 'stall-up' | 'stall-down' | undefined;
      await using place = await start(({ method, url = '' }) => {
        if (!url.includes(key) || method === 'HEAD') return undefined;
        const fault = next;
        next = undefined;
        return fault;
      });
      await using tried = await trial(place.url, { environment: place.environment });
      const bytes = randomBytes(24 * mebibyte);
      const startMs = systemClock.monotonicMs();
      next = 'stall-up';
      await tried.storage.put(key, [bytes]);
      assert.ok(tried.notes.length >= 1);
      next = 'stall-down';
      assert.ok(bytes.equals(await tried.storage.get(key)));
      assert.ok(tried.notes.length >= 2);
      next = 'stall-down';
      assert.equal(
        (await tried.storage.get(key, { range: { offset: 14 * mebibyte, length: 9 * mebibyte } })).length,
        9 * mebibyte,
      );
      assert.ok(tried.notes.length >= 3);
      // By the sizes alone it would take more than ten minutes.
      assert.ok(systemClock.monotonicMs() - startMs < 240_000);
    },
  );
}

test(
  'SFTP: an upload and a download that stand still half-way are tried again',
  { skip: withoutSshd(), timeout },
  async () => {
    await using server = await startSshd();
    // One connection for the upload that stalls, one for it whole and a part of the download.
    const stalls = [4 * mebibyte, 20 * mebibyte];
    await using proxy = await cuttingProxy(server.port, () => stalls.shift() ?? Infinity, 'stall-up');
    const args = server.args.replace(/-p \d+/, `-p ${proxy.port} -o HostKeyAlias=[127.0.0.1]:${server.port}`);
    await using tried = await trial(server.address('team'), { options: new Map([['sftp.args', args]]) });
    const bytes = randomBytes(12 * mebibyte);
    await tried.storage.put(key, [bytes]);
    assert.equal(proxy.struck.get('stall-up'), 1);
    assert.ok(bytes.equals(await tried.storage.get(key)));
    assert.equal(proxy.struck.get('stall-up'), 2);
  },
);

test(
  '--stuck-request-timeout brings a backup and a restore through stalls in both directions',
  { skip: withoutGo(), timeout },
  async () => {
    const stuck = new Set<string>();
    let restoring = false;
    await using server = await versitygw();
    await using proxy = await httpProxy(server.running.port, ({ method, url = '' }) => {
      const direction = method === 'PUT' ? 'stall-up' : 'stall-down';
      if (!url.includes('/data/') || stuck.has(direction) || (method === 'PUT') === restoring) return undefined;
      stuck.add(direction);
      return direction;
    });
    await using dir = await tempDir();
    const at = { repository: `s3:http://127.0.0.1:${proxy.port}/bucket`, password: 'secret' };
    const options = { cwd: dir.path, env: server.owner };
    writeFileSync(dir.file('large'), randomBytes(9 * mebibyte));
    await cheapRepositoryAt(at.repository, { environment: server.owner });
    const patience = ['--stuck-request-timeout', '2s'];
    await holdfastOk(at, [...patience, 'backup', '--pack-size', '4', 'large'], options);
    restoring = true;
    await holdfastOk(at, [...patience, 'restore', 'latest', '--verify', '--target', dir.file('back')], options);
    assert.deepEqual([...stuck].toSorted(), ['stall-down', 'stall-up']);
  },
);

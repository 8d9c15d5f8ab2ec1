import assert from 'node:assert/strict';
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { systemClock } from '../src/clock/clock.ts';
import { parseLsn } from '../src/source/postgres/lsn.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { testAtMajors } from './support/at-majors.ts';
import { filesBelow } from './support/files-below.ts';
import { outputOf } from './support/holdfast.ts';
import { shopScene } from './support/postgres-scene.ts';
import { served } from './support/served.ts';
import { startStream } from './support/streaming.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions();

interface Shown {
  readonly log: { readonly heartbeat?: string };
  readonly objectives: readonly { readonly reached: string; readonly state: string }[];
}

testAtMajors(
  'an idle server loses nothing while somebody looks: status says so, and a heartbeat tells it from the data itself',
  { sample: '18', skip },
  async (major) => {
    const settings = ['autovacuum=off', 'checkpoint_timeout=1h'];
    await using shop = await startPostgresVersion({ major, initdb: smallSegments, settings });
    await using dir = await tempDir();
    const more = '    log: { mode: stream, to: { near: { window: 7d } } }\n    tier: t\ntiers: { t: { rpo: 15m } }\n';
    const scene = await shopScene(dir.path, shop.url, { more });
    const flushed = async (): Promise<string> => (await shop.sql('select pg_current_wal_flush_lsn()'))[0] ?? '';
    const opened = (): readonly string[] => filesBelow(dir.file('near/holdfast/open'));
    const sightings = (): readonly string[] => opened().filter((file) => file.includes('.seen-'));
    const status = async (): Promise<Shown['objectives'][number] & Shown['log']> => {
      const { stdout } = await scene.run('status', 'shop-db', '--json');
      const { log, objectives } = JSON.parse(stdout.toString().split('\n')[0] ?? '') as Shown;
      return { ...log, ...(objectives[0] ?? assert.fail()) };
    };
    const whileStreamed = async (body: () => Promise<void>): Promise<void> => {
      await using stream = startStream(dir.path);
      await stream.until(({ message_type }) => message_type === 'log_began');
      await body();
      const end = parseLsn(await flushed()); // the server may write more by itself
      await stream.until(({ durable }) => durable !== undefined && parseLsn(durable) >= end);
      await stream.end('SIGTERM');
    };

    const hourMs = 3_600_000;
    await whileStreamed(async () => {
      const words = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state'), 'backup', 'shop-db'];
      const env = { PATH: process.env['PATH'] ?? '', HOME: dir.path };
      outputOf(words, await served({ args: words, env, cwd: dir.path, aheadMs: -hourMs }));
    });
    const before = sightings();
    await whileStreamed(async () => {
      const giveUpAt = systemClock.monotonicMs() + 150_000;
      while (sightings().every((file) => before.includes(file))) {
        assert.ok(systemClock.monotonicMs() < giveUpAt, 'nothing was seen');
        await systemClock.sleep(50);
      }
    });
    const hourAgo = new Date(Date.now() - hourMs);
    for (const file of [...opened(), ...filesBelow(dir.file('near/holdfast/log'))])
      await utimes(file, hourAgo, hourAgo);
    assert.match(
      (await scene.run('status', 'shop-db')).stdout.toString(),
      /its server is idle since .*: nothing was unarchived \d+ s ago/,
    );
    assert.equal((await status()).state, 'met');

    const policy = scene.file('holdfast.yaml');
    await writeFile(
      policy,
      (await readFile(policy, 'utf8')).replace('/url },', '/url }, heartbeat: beat, heartbeat-every: 1,'),
    );
    assert.match(
      (await scene.run('postgres', 'setup', 'shop-db')).stdout.toString(),
      /heartbeat: not there, may be made → beat/,
    );
    await scene.run('postgres', 'setup', 'shop-db', '--apply');
    assert.match((await scene.run('postgres', 'setup', 'shop-db')).stdout.toString(), /beat can be written to/);
    await using stream = startStream(dir.path);
    const { heartbeat } = await stream.until((record) => record['heartbeat'] !== undefined);
    const [beaten] = await shop.sql('select extract(epoch from at)::bigint from beat');
    assert.ok(Math.abs(Date.parse(String(heartbeat)) / 1000 - Number(beaten)) < 30);
    const giveUpAt = systemClock.monotonicMs() + 150_000;
    for (;;) {
      const { heartbeat: shown } = await status();
      if (shown !== undefined) break;
      assert.ok(systemClock.monotonicMs() < giveUpAt, 'no heartbeat was shown');
      await systemClock.sleep(500);
    }
    await stream.end('SIGTERM');

    for (const file of sightings()) await rm(file);
    for (const file of [...opened(), ...filesBelow(dir.file('near/holdfast/log'))])
      await utimes(file, hourAgo, hourAgo);
    assert.deepEqual([(await status()).state, (await status()).heartbeat], ['broken', undefined], 'nobody looked');
  },
);

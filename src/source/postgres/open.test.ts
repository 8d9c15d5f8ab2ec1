import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startPostgresVersion, withoutPostgresVersions } from '../../../test/servers/postgres-versions.ts';
import { systemClock } from '../../clock/clock.ts';
import { hasCode } from '../../errors/error.ts';
import { silent } from '../../events/events.ts';
import { Secret } from '../../secret/secret.ts';
import type { OpenedSource, WalkOptions } from '../source.ts';
import { openPostgres } from './open.ts';
import { postgresOptions } from './options.ts';

function opened(url: string, method?: string, reading = 'protocol'): OpenedSource {
  const options = postgresOptions.parse({ url: { env: 'DATABASE_URL' }, reading });
  const readSecret = async (): Promise<Secret> => new Secret(url);
  return openPostgres(options, { component: 'shop-db', clock: systemClock, readSecret, method, leftOut: [] });
}

async function walk({ source }: OpenedSource, options: Omit<WalkOptions, 'listener'>): Promise<number> {
  const entries = await Array.fromAsync(source?.entries({ ...options, listener: silent }) ?? []);
  return entries.length;
}

const skip = withoutPostgresVersions();

test(
  'an abort in the midst ends the walk with its reason, and leaves nothing running on the server',
  { skip },
  async () => {
    await using server = await startPostgresVersion({ major: '17' });
    const aborting = new AbortController();
    const reason = new Error('enough');
    const store: WalkOptions['store'] = async () => {
      aborting.abort(reason);
      return { ids: [], sizeBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 };
    };
    await assert.rejects(walk(opened(server.url), { signal: aborting.signal, store }), (error) => error === reason);
    const running = "select count(*) from pg_stat_activity where application_name = 'holdfast'";
    while ((await server.sql(running))[0] !== '0') await systemClock.sleep(20);
  },
);

test('errors and what a probe finds name the component or the server, and no password', { skip }, async () => {
  await using server = await startPostgresVersion({ major: '17' });
  const { signal } = new AbortController();
  assert.deepEqual(await opened(server.url).probe?.({ signal, listener: silent }), []);
  await server.stop();
  const url = server.url.replace('postgres@', 'postgres:kanarienvogel@');
  const store: WalkOptions['store'] = async () => assert.fail('nothing can be stored');
  await assert.rejects(
    walk(opened(url), { signal, store }),
    (error) =>
      hasCode(error, 'source-failed') &&
      /^shop-db: .*ECONNREFUSED/.test(error.message) &&
      !/kanarien/.test(error.message),
  );
  const [lacking] = (await opened(url).probe?.({ signal, listener: silent })) ?? [];
  assert.equal(lacking?.what, 'the PostgreSQL server');
  assert.doesNotMatch(lacking.reason, /kanarien/);
});

test('a method that is not built is refused by name', () => {
  assert.throws(
    () => opened('postgres://localhost', 'weekly'),
    (error) => hasCode(error, 'unsupported') && /no method weekly; physical and logical/.test(error.message),
  );
});

for (const url of ['mysql://localhost/shop', 'postgres://user:kanarienvogel@[::/shop', '']) {
  test(`an address that is none (${url.slice(0, 5)}) is refused without being repeated`, async () => {
    const { signal } = new AbortController();
    await assert.rejects(
      walk(opened(url), { signal, store: async () => assert.fail('nothing can be stored') }),
      (error) => hasCode(error, 'refused') && !/kanarien/.test(error.message),
    );
  });
}

test('how fast the server sends can’t be said where it sends nothing', () => {
  const url = { env: 'DATABASE_URL' };
  assert.equal(postgresOptions.parse({ url }).reading, 'protocol');
  assert.throws(() => postgresOptions.parse({ url, 'reading': 'host', 'max-rate': 8 }), /how fast the server sends/);
  assert.equal(postgresOptions.parse({ url, reading: 'host' }).reading, 'host');
});

test('a probe and a backup find that the data directory to read is not this host’s', { skip }, async () => {
  await using server = await startPostgresVersion({ major: '17' });
  const { signal } = new AbortController();
  const onHost = opened(server.url, undefined, 'host');
  assert.deepEqual(await onHost.probe?.({ signal, listener: silent }), []);
  const pidFile = `${server.data}/postmaster.pid`;
  const words = (await readFile(pidFile, 'utf8')).split('\n');
  await writeFile(pidFile, words.with(3, '1').join('\n'));
  const [lacking] = (await onHost.probe?.({ signal, listener: silent })) ?? [];
  assert.match(lacking?.reason ?? '', /not this host’s .*: its server listens at port 1, not \d+/);
  const store: WalkOptions['store'] = async () => assert.fail('nothing can be stored');
  await assert.rejects(walk(onHost, { signal, store }), (error) => hasCode(error, 'refused'));
  await writeFile(pidFile, words.join('\n'));
});

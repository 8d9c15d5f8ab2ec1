import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { hasCode } from '../src/errors/error.ts';
import { silent } from '../src/events/events.ts';
import { Secret } from '../src/secret/secret.ts';
import { openPostgres } from '../src/source/postgres/open.ts';
import { postgresOptions } from '../src/source/postgres/options.ts';
import type { OpenedSource, WalkOptions } from '../src/source/source.ts';
import { withoutPostgres } from './servers/postgres.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { standIns } from './support/stand-ins.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutPostgres();

test(
  'an abort ends a dump with its jobs, and leaves no spool; errors name the component and no password',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '15', initdb: smallSegments });
    await shop.sql('create database shop template postgres');
    await using dir = await tempDir();
    const pids = dir.file('pids');
    const folder = await standIns(dir.file('clients'), { pg_dump: `sleep 1000 & echo $! $$ > ${pids}; wait` });
    const opened = (url: string): OpenedSource =>
      openPostgres(
        postgresOptions.parse({
          url: { env: 'DATABASE_URL' },
          logical: { databases: ['shop'], format: 'directory', spool: dir.path, client: { folder } },
        }),
        {
          component: 'shop-db',
          clock: systemClock,
          readSecret: async () => new Secret(url),
          method: 'logical',
          leftOut: [],
        },
      );
    const store: WalkOptions['store'] = async () => assert.fail('nothing can be stored');
    const walk = async (url: string, signal: AbortSignal): Promise<unknown> =>
      await Array.fromAsync(opened(url).source?.entries({ store, signal, listener: silent }) ?? []);
    const aborting = new AbortController();
    const reason = new Error('enough');
    const walking = assert.rejects(walk(shop.url, aborting.signal), (error) => error === reason);
    while ((await readFile(pids, 'utf8').catch(() => '')) === '') await systemClock.sleep(10);
    aborting.abort(reason);
    await walking;
    for (const pid of (await readFile(pids, 'utf8')).trim().split(' '))
      while (await runs(pid)) await systemClock.sleep(10);
    assert.deepEqual(await readdir(dir.file(`holdfast-dumps-${process.getuid?.()}`)), []);
    const wrong = 'postgres://postgres:kanarienvogel@127.0.0.1:1/shop';
    await assert.rejects(
      walk(wrong, new AbortController().signal),
      (error) =>
        hasCode(error, 'source-failed') &&
        /^shop-db: .*ECONNREFUSED/.test(error.message) &&
        !/kanarien/.test(error.message),
    );
  },
);

/** A dead one that nobody waits for, as in a container, still has its number. */
async function runs(pid: string): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text !== '' && !/\) Z /.test(text);
}

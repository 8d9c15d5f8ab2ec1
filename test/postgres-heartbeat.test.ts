import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { withoutRestic } from './servers/restic.ts';
import { rehearse, restoredOf } from './support/postgres-rehearsing.ts';
import { shopScene } from './support/postgres-scene.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');

test('a heartbeat that a backup writes tells how old the data of its copy is', { skip }, async () => {
  await using server = await startPostgresVersion({ major: '15', settings: ['autovacuum=off'] });
  await server.sql("alter role postgres set datestyle = 'German'");
  await using restored = await restoredOf(server, { options: 'heartbeat: holdfast_heartbeat' });
  const [written = ''] = await server.sql('select extract(epoch from at)::bigint from holdfast_heartbeat');
  const look = async (change: (text: string) => string): Promise<readonly string[]> => {
    const copy = await restored.copy();
    const path = join(copy, 'shop-db/postgres.json');
    await writeFile(path, change(await readFile(path, 'utf8')));
    const { checks } = await rehearse(copy, { major: '15', depth: { of: 'sample' } });
    const found = checks.find(({ name }) => name === 'heartbeat');
    return [found?.state ?? 'none', found?.found ?? ''];
  };
  const [state, found = ''] = await look((text) => text);
  assert.equal(state, 'passed', found);
  const [, at = '', seconds = ''] =
    /^(\S+) at \S+: what came in the (\d+) s since would be lost now$/.exec(found) ?? [];
  assert.ok(Math.abs(Date.parse(at) / 1000 - Number(written)) <= 1, found);
  assert.ok(Math.abs(Date.now() / 1000 - Number(written) - Number(seconds)) < 60, found);
  assert.deepEqual((await look((text) => text.replace(/"at": "\d{4}/, '"at": "2999'))).slice(0, 1), ['failed']);
  assert.deepEqual(await look((text) => text.replaceAll(/ {2}"heartbeat": [^]*?\},\n/g, '')), ['none', '']);
});

test('a heartbeat that can’t be written is told, and the backup stands', { skip }, async () => {
  await using server = await startPostgresVersion({ major: '15', settings: ['autovacuum=off'] });
  await server.sql('create role backup login replication; grant pg_read_all_settings to backup');
  await using dir = await tempDir();
  const url = server.url.replace('postgres@', 'backup@');
  const scene = await shopScene(dir.path, url, { options: 'heartbeat: holdfast_heartbeat' });
  const { code, stderr } = await scene.run('backup', 'shop-db');
  assert.equal(code, 3, stderr);
  assert.match(stderr, /no heartbeat was written to holdfast_heartbeat: .*permission denied/);
});

import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { listening } from '../../../test/support/listening.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { parseDescription } from './description.ts';
import { parseLogicalDescription } from './logical/description.ts';
import { LoadedServer } from './logical/loaded-server.ts';
import { SandboxedServer } from './sandboxed-server.ts';

const of = { format: 1, version: '18.0', major: 18, database: 'shop', superuser: 'postgres' };
const cluster = {
  ...{ systemIdentifier: '7', timeline: 1, startLsn: '0/1', endLsn: '0/2', walSegmentBytes: 16, dataDirectory: null },
  ...{ dataChecksums: 'off', tablespaces: [], configuration: [], capacities: {} },
};
const { signal } = new AbortController();
const dumps = parseLogicalDescription(JSON.stringify({ ...of, method: 'logical', globals: 'none', databases: [] }));

for (const [what, serverIn] of [
  [
    'a cluster',
    (at: string) => new SandboxedServer(at, parseDescription(JSON.stringify({ ...of, ...cluster })), signal),
  ],
  ['dumps', (at: string) => new LoadedServer(at, dumps, signal)],
] as const)
  test(`a copy of ${what} that puts a link to a living server in the place of its socket leads nobody there`, async () => {
    await using dir = await tempDir();
    for (const name of ['living', 'copy', 'own']) await mkdir(dir.file(name));
    await using living = await listening(dir.file('living/.s.PGSQL.5432'));
    await using own = await listening(dir.file('own/.s.PGSQL.5432'));
    await symlink(dir.file('living/.s.PGSQL.5432'), dir.file('copy/.s.PGSQL.5432'));
    const ask = async (at: string): Promise<never> =>
      await serverIn(dir.file(at)).in('shop', async () => assert.fail('nobody was to let us in'));
    await assert.rejects(ask('copy'), { code: 'damaged', message: /something else than a socket/ });
    await assert.rejects(ask('own'), { code: 'source-failed' });
    assert.deepEqual([living.connections, own.connections], [0, 1]);
  });

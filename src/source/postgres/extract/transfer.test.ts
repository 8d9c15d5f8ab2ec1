import assert from 'node:assert/strict';
import { readdir, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { listening } from '../../../../test/support/listening.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import { startProgram } from '../../../host/process.ts';
import type { Client } from '../logical/client.ts';
import { transfer } from './transfer.ts';

/** A shell in the place of a client. */
function clientOf(script: string): Client {
  return {
    where: 'here',
    isHere: true,
    start: async (_program, _args, { input, onErrorLine, signal, clock }) =>
      await startProgram('sh', { args: ['-c', script], input, signal, clock, ...(onErrorLine && { onErrorLine }) }),
  };
}

const given = {
  living: { url: 'postgres://postgres@127.0.0.1:1/shop', database: 'shop', major: 18, shown: 'shop' },
  ...{ selection: [], restoring: [], bytes: 5, clock: systemClock, listener: silent },
};

test('nothing is dumped from where a link in the place of the copy’s socket leads', async () => {
  await using dir = await tempDir();
  await symlink('/run/postgresql/.s.PGSQL.5432', dir.file('.s.PGSQL.5432'));
  const clients = { dumping: clientOf(`: >${dir.file('dumped')}`), loading: clientOf('cat >/dev/null') };
  const copy = { socketFolder: dir.path, superuser: 'postgres', database: 'shop' };
  const { signal } = new AbortController();
  await assert.rejects(transfer({ ...given, ...clients, copy, signal }), { code: 'damaged', message: /a link/ });
  assert.deepEqual(await readdir(dir.path), ['.s.PGSQL.5432']);
});

test('a pg_restore that has all it wants before its input ends has loaded it; one that fails has not', async () => {
  await using dir = await tempDir();
  await using _socket = await listening(dir.file('.s.PGSQL.5432'));
  const gone = dir.file('gone');
  const [ended, begun] = [`exec <&-; : >${gone}`, `until [ -e ${gone} ]; do sleep .02; done; echo more`];
  const moved = async (restoring: string): Promise<void> =>
    await transfer({
      dumping: clientOf(begun),
      loading: clientOf(restoring),
      copy: { socketFolder: dir.path, superuser: 'postgres', database: 'shop' },
      ...given,
      signal: new AbortController().signal,
    });
  await moved(ended);
  await assert.rejects(moved(`${ended}; exit 1`), /pg_restore failed/);
});

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { controlOf } from '../../../../test/support/control-file.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { rawPathOf } from '../../../bytes/ids.ts';
import { systemClock } from '../../../clock/clock.ts';
import { hasCode } from '../../../errors/error.ts';
import { assertOwnHost, type HostFacts } from './same-host.ts';

const watching = { clock: systemClock, signal: new AbortController().signal };

function pidFile(dir: TempDir, port: number, startedSeconds: number): void {
  writeFileSync(dir.file('postmaster.pid'), `4711\n${dir.path}\n${startedSeconds}\n${port}\n/tmp\n`);
}

function cluster(dir: TempDir): HostFacts {
  mkdirSync(dir.file('global'));
  const control = controlOf({ systemIdentifier: 7_710_706_049_229_507_643n, timeline: 1, version: 1300 });
  writeFileSync(dir.file('global', 'pg_control'), control);
  pidFile(dir, 5432, 1_790_000_000);
  const pages = { pageBytes: 8192, blocksPerFile: 131_072 };
  const system = { systemIdentifier: '7710706049229507643', port: 5432, startedSeconds: 1_790_000_001 };
  return { ...pages, ...system, dataDirectory: rawPathOf(dir.path) };
}

test('a data directory on which the server runs that answered is this host’s', async () => {
  await using dir = await tempDir();
  await assertOwnHost(cluster(dir), watching);
});

test('a data directory of another cluster, of a copy, or of none is refused by name', async () => {
  await using dir = await tempDir();
  const facts = cluster(dir);
  const refused = async (asked: HostFacts, why: RegExp): Promise<void> =>
    await assert.rejects(assertOwnHost(asked, watching), (error) => {
      assert.ok(hasCode(error, 'refused'));
      assert.match(error.message, why);
      return true;
    });
  await refused({ ...facts, systemIdentifier: '1' }, /the cluster there is 7710706049229507643/);
  await refused({ ...facts, port: 5433 }, /listens at port 5432/);
  await refused({ ...facts, startedSeconds: 1_790_000_500 }, /started at another time/);
  rmSync(dir.file('postmaster.pid'));
  await refused(facts, /no server runs on it/);
  await refused({ ...facts, dataDirectory: rawPathOf(dir.file('gone')) }, /there is no cluster/);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { absent } from '../../../../test/absences.ts';
import { notingSync } from '../../../../test/support/noting-sync.ts';
import { removeFolder, tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { moveTablespaces } from './move-tablespaces.ts';

/** A file system of its own on any Linux. */
const otherDisk = '/dev/shm';
const oid = '16399';
const described = {
  ...{ format: 1, version: '15.4', major: 15, systemIdentifier: '7', timeline: 1, startLsn: '0/1', endLsn: '0/2' },
  ...{ walSegmentBytes: 2 ** 24, dataDirectory: null, dataChecksums: 'off', configuration: [], capacities: {} },
  ...{ database: 'shop', superuser: 'postgres', tablespaces: [{ oid, location: '/srv/fast' }] },
};

async function restored(dir: TempDir): Promise<string> {
  const tablespace = dir.file('data/pg_tblspc', oid);
  await mkdir(tablespace, { recursive: true });
  await writeFile(`${tablespace}/table`, 'rows');
  await writeFile(dir.file('postgres.json'), JSON.stringify(described));
  return tablespace;
}

test(
  'a tablespace that is moved to another disk is lasting there before it is gone here',
  { skip: existsSync(otherDisk) ? false : absent('mounts') },
  async () => {
    await using dir = await tempDir();
    const tablespace = await restored(dir);
    const elsewhere = await mkdtemp(`${otherDisk}/holdfast-test-`);
    try {
      using _sync = await notingSync(dir, `${tablespace}/table`);
      const to = `${elsewhere}/fast`;
      const { signal } = new AbortController();
      await moveTablespaces({ folder: dir.path, moved: [{ from: '/srv/fast', to }], signal });
      assert.equal(await readFile(dir.file('synced'), 'utf8'), `-f ${to} rows\n`);
      assert.equal(await readlink(tablespace), to);
      assert.equal(await readFile(`${tablespace}/table`, 'utf8'), 'rows');
    } finally {
      await removeFolder(elsewhere);
    }
  },
);

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restoreCommand } from '../src/source/postgres/setup/commands.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { testAtMajors } from './support/at-majors.ts';
import { copyAtRest } from './support/standby.ts';

testAtMajors(
  'half of a segment, fetched ahead and left behind, stops a server that recovers, and is gone then',
  { sample: '18', skip: withoutPostgresVersions() },
  async (major) => {
    await using shop = await startPostgresVersion({ major, settings: ['autovacuum=off'] });
    await shop.sql('create table orders as select 7 as id');
    const data = await copyAtRest(shop, 'copy');
    const [name = ''] = await shop.sql('select pg_walfile_name(redo_lsn) from pg_control_checkpoint()');
    const whole = await readFile(join(shop.data, 'pg_wal', name));
    const ahead = join(data, 'pg_wal/.holdfast-ahead');
    await mkdir(ahead);
    await writeFile(join(ahead, name), whole.subarray(0, whole.length / 2));
    await writeFile(join(data, 'recovery.signal'), '');
    for (const path of [ahead, join(ahead, name), join(data, 'recovery.signal')]) await giveToServer(path);
    // Nobody has anything: what stands in pg_wal is all there is.
    const program = { path: shop.running.dir.file('program'), options: [] };
    await writeFile(program.path, '#!/bin/sh\nexit 44\n', { mode: 0o755 });
    await giveToServer(program.path);
    const command = restoreCommand('shop-db', { stateFolder: '/nowhere', program });
    // A hot standby would let somebody in for a moment, before it asks for more of the log.
    const settings = [`restore_command=${command}`, 'hot_standby=off'];
    await assert.rejects(
      startPostgresVersion({ major, data, settings }),
      /has wrong size: 8388608 instead of 16777216/,
    );
    await using copy = await startPostgresVersion({ major, data, settings });
    assert.deepEqual(await copy.sql('select id from orders'), ['7']);
  },
);

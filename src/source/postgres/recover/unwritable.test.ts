import assert from 'node:assert/strict';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mounted, withoutMounts } from '../../../../test/support/mounting.ts';
import { runProgram } from '../../../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import { openRecovery } from './open.ts';
import { replayLog } from './recover.ts';
import { sayingUnwritable } from './unwritable.ts';

const { signal } = new AbortController();
const description = {
  ...{ format: 1, version: '15.4', major: 15, systemIdentifier: '7', timeline: 1, startLsn: '0/1', endLsn: '0/2' },
  ...{ walSegmentBytes: 2 ** 20, dataDirectory: null, dataChecksums: 'off', configuration: [], capacities: {} },
  ...{ database: 'shop', superuser: 'postgres', tablespaces: [] },
};

/** Programs that say their version, and can do nothing else. */
async function programsIn(dir: TempDir, major: number): Promise<string> {
  await mkdir(dir.file('bin'));
  for (const name of ['postgres', 'pg_ctl']) {
    await writeFile(dir.file(`bin/${name}`), `#!/bin/sh\necho "${name} (PostgreSQL) ${major}.1"\n`);
    await chmod(dir.file(`bin/${name}`), 0o755);
  }
  return dir.file('bin');
}

test('a disk that is full when the log is replayed is told, with what to do', { skip: withoutMounts() }, async () => {
  await using dir = await tempDir();
  for (const name of ['data', '.holdfast']) await mkdir(dir.file('shop-db', name), { recursive: true });
  await using _disk = await mounted(dir.file('shop-db/.holdfast'), '1m');
  await runProgram('dd', ['if=/dev/zero', 'bs=1M', `of=${dir.file('shop-db/.holdfast/filling')}`]);
  if (process.getuid?.() === 0) await chown(dir.file('shop-db/data'), 65534, 65534); // root’s no server starts
  await writeFile(dir.file('shop-db/postgres.json'), JSON.stringify(description));
  const feed = {
    ...{ order: [], segment: async () => undefined, segmentInto: async () => undefined },
    history: async () => undefined,
  };
  const given = { component: 'shop-db', programs: [await programsIn(dir, 15)] };
  const asked = { epoch: 1, moment: { kind: 'latest' }, edge: 'included', needs: {}, end: undefined } as const;
  const replay = { folder: dir.file('shop-db'), ...asked, feed, clock: systemClock, listener: silent, signal };
  await assert.rejects(replayLog(given, replay), {
    code: 'replay-failed',
    message: /^shop-db: what the replay needs can’t be written into .*\/shop-db: no space left on device$/,
    next: /room.* restore into another, empty folder/,
  });
});

test('a segment that can’t be written is told so, too; what else fails is left as it is', async () => {
  const failing = async (error: Error, as?: 'the original'): Promise<never> =>
    await sayingUnwritable({ component: 'shop-db', folder: '/to', as }, async () => await Promise.reject(error));
  const full = new HoldfastError('source-failed', '/to/spool/1 can’t be written: no space left on device');
  const refused = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  await assert.rejects(failing(refused), { code: 'replay-failed', message: /into \/to: no space left on device$/ });
  await assert.rejects(failing(full), { code: 'replay-failed', message: /spool\/1 can’t be written/ });
  await assert.rejects(failing(full, 'the original'), {
    next: /^See that there is room, and that the disk is sound\. /,
  });
  await assert.rejects(failing(new HoldfastError('damaged', 'a segment')), { code: 'damaged' });
  await assert.rejects(failing(new TypeError('a defect')), TypeError);
});

test('room is needed for all of the log where no programs of its major are, else for what a server keeps of it', async () => {
  await using dir = await tempDir();
  const options = { programs: [await programsIn(dir, 15)] };
  const driver = openRecovery(options as Parameters<typeof openRecovery>[0], {} as Parameters<typeof openRecovery>[1]);
  const room = async (version: number | undefined, bytes: number): Promise<number> =>
    await driver.roomForLog({ version }, bytes, signal);
  assert.deepEqual([await room(15, 2 ** 40), await room(15, 7)], [2 ** 30, 7]);
  assert.deepEqual([await room(99, 2 ** 40), await room(undefined, 0)], [2 ** 40, 0]);
});

import assert from 'node:assert/strict';
import { chown, mkdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { notingSync } from '../../../../test/support/noting-sync.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import type { Replay } from '../../recovery.ts';
import { parseDescription } from '../description.ts';
import { leavePrepared } from './leave-prepared.ts';

const description = parseDescription(
  JSON.stringify({
    ...{ format: 1, version: '15.4', major: 15, systemIdentifier: '7', timeline: 1, startLsn: '0/1', endLsn: '0/2' },
    ...{ walSegmentBytes: 2 ** 20, dataDirectory: null, dataChecksums: 'off', configuration: [], capacities: {} },
    ...{ database: 'shop', superuser: 'postgres', tablespaces: [] },
  }),
);

test('what is left prepared is lasting, its log included, before that is said', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('shop-db/data'), { recursive: true });
  if (process.getuid?.() === 0) await chown(dir.file('shop-db/data'), 65534, 65534); // root’s no server starts
  const bytes = Buffer.from('a segment');
  const replay: Replay = {
    folder: dir.file('shop-db'),
    ...{ epoch: 1, moment: { kind: 'latest' }, edge: 'included', needs: {}, end: undefined },
    feed: {
      order: [{ epoch: 1, from: 0n, to: 2n ** 20n }],
      segment: async () => bytes,
      segmentInto: async () => assert.fail('it is small'),
      history: async () => undefined,
    },
    ...{ clock: systemClock, listener: silent, signal: new AbortController().signal },
  };
  const segment = dir.file('shop-db/log/000000010000000000000000');
  using _sync = await notingSync(dir, segment);
  const { state } = await leavePrepared(replay, description);
  assert.equal(state, 'prepared');
  assert.equal(await readFile(dir.file('synced'), 'utf8'), `-f ${dir.file('shop-db')} a segment\n`);
});

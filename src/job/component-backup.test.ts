import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { componentContextOver } from '../../test/support/component-context.ts';
import { impatientClock as clock } from '../../test/support/impatient-clock.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { loadPolicy } from '../policy/load.ts';
import { VersionedMemoryStorage } from '../storage/memory-versions.ts';
import { backupRule } from './component-backup.ts';
import type { NewRecord } from './component.ts';

const weekMs = 7 * 86_400_000;

test('until when a run can be removed by nobody is recorded beside it', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'first\n');
  const storage = new VersionedMemoryStorage(clock, { ms: weekMs, mode: 'compliance' });
  await using _made = await newRepository(storage);
  const { policy } = loadPolicy(`version: 1
repositories: { s3: { url: "s3:https://s3.example.com/acme", password: { env: P } } }
components:
  uploads:
    files: { paths: [${dir.file('data')}] }
    backups: { hourly: { every: 1h, to: { s3: { keep: { last: 7 } } } } }
`);
  const component = policy?.components['uploads'];
  const rule = component?.backups['hourly'];
  assert.ok(policy && component && rule);
  const records: NewRecord[] = [];
  const over = { policy, storageOf: () => storage, clock, stateFolder: dir.file('state') };
  const context = componentContextOver(over, {
    recording: {
      record: async (fact) => void records.push(fact),
      prepare: async () => undefined,
      settle: async () => undefined,
      fold: async () => undefined,
    },
  });
  const outcome = await backupRule(context, { name: 'uploads', component, ruleName: 'hourly', rule });
  assert.ok('snapshot' in outcome);
  const { snapshot } = outcome;
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['run', 'lock'],
  );
  const lock = records[1];
  assert.ok(lock);
  const { until, ...data } = lock.data;
  assert.deepEqual(
    { ...lock, data },
    {
      kind: 'lock',
      component: 'uploads',
      repository: 's3',
      data: { outcome: 'done', action: 'extended', rule: 'hourly', snapshot },
    },
  );
  const leftMs = Temporal.Instant.from(String(until)).epochMilliseconds - Number(clock.nowNs() / 1_000_000n);
  assert.ok(leftMs > weekMs - 3_600_000 && leftMs <= weekMs, String(until));
});

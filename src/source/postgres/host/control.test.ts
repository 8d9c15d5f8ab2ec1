import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { controlOf } from '../../../../test/support/control-file.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { rawPathOf } from '../../../bytes/ids.ts';
import { systemClock } from '../../../clock/clock.ts';
import { hasCode } from '../../../errors/error.ts';
import { parseControl, readControl } from './control.ts';

const facts = { systemIdentifier: 7_710_706_049_229_507_643n, timeline: 3 };
const { signal } = new AbortController();

for (const version of [1300, 1700, 1800])
  test(`pg_control of version ${version} tells its system and timeline, and any changed byte of it shows`, () => {
    const bytes = controlOf({ ...facts, version });
    const parsed = parseControl(bytes);
    assert.deepEqual([parsed?.systemIdentifier, parsed?.timeline], [String(facts.systemIdentifier), 3]);
    const promoted = parseControl(controlOf({ ...facts, version, promotedTo: 4 }));
    assert.deepEqual([parsed?.goesOnAs, promoted?.timeline, promoted?.goesOnAs], [3, 3, 4]);
    for (const at of [0, 20, 100, 287]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(parseControl(changed), undefined);
    }
  });

test('pg_control of a version that is not known is refused by name', () => {
  assert.throws(() => parseControl(controlOf({ ...facts, version: 1900 })), /version 1900/);
});

test('a pg_control that was overwritten is damaged, not of another version', () => {
  const right = controlOf({ ...facts, version: 1900 });
  for (const lost of [Buffer.alloc(8192), Buffer.alloc(8192, 0xff), Buffer.from(right).fill(1, 20, 24)])
    assert.equal(parseControl(lost), undefined);
});

test('a pg_control that is just being written is read again until its checksum is right', async () => {
  await using dir = await tempDir();
  const path = rawPathOf(dir.file('pg_control'));
  const right = controlOf({ ...facts, version: 1300 });
  const torn = Buffer.concat([right.subarray(0, 100), Buffer.alloc(8092)]);
  writeFileSync(dir.file('pg_control'), torn);
  let waits = 0;
  const clock = {
    ...systemClock,
    sleep: async () => {
      waits += 1;
      if (waits === 3) writeFileSync(dir.file('pg_control'), right);
    },
  };
  assert.deepEqual(Buffer.from((await readControl(path, clock, signal)).bytes), right);
  assert.equal(waits, 3);
  writeFileSync(dir.file('pg_control'), torn);
  await assert.rejects(readControl(path, { ...systemClock, sleep: async () => undefined }, signal), (error) =>
    hasCode(error, 'source-failed'),
  );
});

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { slotsIn } from './slots.ts';

test('the slots that a replaced cluster had are told by name, logical ones apart', async () => {
  await using dir = await tempDir();
  const slots = { billing: 16_384, standby_one: 0 };
  for (const [name, database] of Object.entries(slots)) {
    const state = Buffer.alloc(200);
    state.write(name, 16);
    state.writeUInt32LE(database, 80);
    await mkdir(dir.file('pg_replslot', name), { recursive: true });
    await writeFile(dir.file('pg_replslot', name, 'state'), state);
  }
  await mkdir(dir.file('pg_replslot/half'));
  assert.deepEqual(await slotsIn(dir.path), [
    { name: 'billing', kind: 'logical' },
    { name: 'half', kind: 'physical' },
    { name: 'standby_one', kind: 'physical' },
  ]);
  assert.deepEqual(await slotsIn(dir.file('nowhere')), []);
});

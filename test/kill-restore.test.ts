import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { cheapKey } from './support/engine.ts';
import { assertKillsLoseNothing, longestKillingMs, type Victim } from './support/killing-trial.ts';

const victims: readonly Victim[] = [
  {
    name: 'restore',
    share: 10,
    prepare: async ({ dir }) => fs.rmSync(dir.file('target'), { recursive: true, force: true }),
    args: ({ dir, history }) => ['restore', history[1]?.id ?? 'latest', '--target', dir.file('target')],
    verify: ({ dir, history: [, second] }) =>
      assert.deepEqual(
        differences(second?.inventory ?? new Map(), inventoryOf(join(dir.file('target'), dir.file('data')))),
        [],
      ),
  },
  {
    name: 'key passwd',
    share: 5,
    prepare: async ({ dir }) => fs.writeFileSync(dir.file('password'), cheapKey.password),
    args: ({ dir }) => ['key', 'passwd', '--new-password-file', dir.file('password')],
  },
];

for (const victim of victims) {
  test(`a kill at any moment of ${victim.name} loses nothing`, { timeout: longestKillingMs }, async (context) => {
    await assertKillsLoseNothing(context, victim);
  });
}

import * as fs from 'node:fs';
import { test } from 'node:test';
import { assertKillsLoseNothing, longestKillingMs, type Victim } from './support/killing-trial.ts';

const isLast = (position: number): boolean => position === 2;

const victims: readonly Victim[] = [
  { name: 'forget', share: 10, args: () => ['forget', '--keep-last', '1'], keeps: isLast },
  {
    name: 'forget --prune',
    share: 10,
    args: () => ['forget', '--keep-last', '1', '--prune', '--max-unused', '0'],
    keeps: isLast,
  },
  {
    name: 'prune',
    share: 20,
    prepare: async ({ dir, history }) => {
      for (const { id } of history.slice(0, 2)) fs.rmSync(dir.file('copy/snapshots', id));
    },
    args: () => ['prune', '--max-unused', '0'],
    keeps: isLast,
  },
];

for (const victim of victims) {
  test(`a kill at any moment of ${victim.name} loses nothing`, { timeout: longestKillingMs }, async (context) => {
    await assertKillsLoseNothing(context, victim);
  });
}

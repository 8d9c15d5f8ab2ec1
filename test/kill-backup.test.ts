import { test } from 'node:test';
import { assertKillsLoseNothing, longestKillingMs, type Victim } from './support/killing-trial.ts';

const victims: readonly Victim[] = [{ name: 'backup', share: 45, args: ({ dir }) => ['backup', dir.file('data')] }];

for (const victim of victims) {
  test(`a kill at any moment of ${victim.name} loses nothing`, { timeout: longestKillingMs }, async (context) => {
    await assertKillsLoseNothing(context, victim);
  });
}

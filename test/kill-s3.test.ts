import { test } from 'node:test';
import { budget } from './budget.ts';
import { withoutGo } from './servers/go-program.ts';
import { versitygw } from './servers/versitygw.ts';
import { cheapKey } from './support/engine.ts';
import { dropADayAgo, otherRepository, s3Place } from './support/kill-s3.ts';
import { killStage } from './support/kill-stage.ts';
import { killOften, longestKillingMs, type Victim } from './support/killing-trial.ts';
import { tempDir } from './support/temp-dir.ts';

const isLast = (position: number): boolean => position === 2;

test(
  'a kill at any moment of backup, forget --prune, prune --deferred or copy on S3 loses nothing',
  { skip: withoutGo(), timeout: longestKillingMs },
  async (context) => {
    await using server = await versitygw();
    await using dir = await tempDir();
    const stage = await killStage(dir, s3Place(server), 1 / 10);
    await otherRepository(dir);
    for (const victim of victims(async (at) => await dropADayAgo(at, server))) {
      await killOften(context, victim, stage, budget.remoteKills);
    }
  },
);

function victims(aDayAgo: NonNullable<Victim['prepare']>): readonly Victim[] {
  return [
    { name: 'backup on S3', share: 40, args: ({ dir }) => ['backup', dir.file('data')] },
    {
      name: 'forget --prune on S3',
      share: 20,
      args: () => ['forget', '--keep-last', '1', '--prune', '--instant', '--max-unused', '0'],
      keeps: isLast,
    },
    {
      name: 'prune --deferred on S3, its sweep and its mark',
      share: 20,
      prepare: aDayAgo,
      args: () => ['prune', '--deferred', '--max-unused', '0'],
      keeps: isLast,
    },
    {
      name: 'copy to S3',
      share: 20,
      args: ({ dir }) => ['copy', '--from-repo', dir.file('other')],
      env: () => ({ RESTIC_FROM_PASSWORD: cheapKey.password }),
    },
  ];
}

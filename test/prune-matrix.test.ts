import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { withoutRustic } from './servers/rustic.ts';
import {
  assertFinishes,
  beginBackup,
  pruneADayAgo,
  prunes,
  stage,
  type Name,
  type Program,
  type Stage,
} from './support/beside.ts';
import { holdfastOk, holdfastProgram } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { besidePrune } from './support/prune-matrix.ts';
import { rusticProgram, rusticSays } from './support/rustic.ts';

const timeout = 600_000;

const ours: Program = {
  path: holdfastProgram,
  args: (name) => ['--no-cache', 'backup', '-q', '--stdin', '--tag', name, '--stdin-filename', name],
  env: ({ repository, password }) => ({ RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password }),
};

/** What the others do; resolves with the names of the snapshots that are there then. */
type Deed = (on: Stage) => Promise<readonly Name[]>;

const backsUp =
  (program: () => Promise<Program>): Deed =>
  async ({ at }) => {
    await (await beginBackup(await program(), at, 'gone')).end();
    return ['kept', 'gone'];
  };

const deeds = {
  'backup of ours': backsUp(async () => ours),
  'rustic backup': backsUp(rusticProgram),
  'prune of ours': async ({ at }: Stage) => {
    await holdfastOk(at, ['prune', '--instant', '--max-unused', '0']);
    return ['kept'] as const;
  },
  'rustic prune': async ({ at }: Stage) => {
    await rusticSays(at, ['prune', '--max-unused', '0B']);
    return ['kept'] as const;
  },
  'restic repair index': async ({ at, backUp }: Stage) => {
    await resticOk('0.19.1', at, ['repair', 'index']);
    await backUp('gone');
    return ['kept', 'gone'] as const;
  },
} as const satisfies Readonly<Record<string, Deed>>;

/** `act` once the prune has come so far. */
const phases = {
  'between mark and drop': async (on: Stage, act: Deed) => {
    const running = await on.begin('other');
    await prunes(on.at);
    await running.end();
    return ['other', ...(await act(on))] as const;
  },
  'between drop and deletion': async (on: Stage, act: Deed) => {
    await pruneADayAgo(on.at);
    return await act(on);
  },
} as const;

/** What no other test shows. */
const untried = [
  ['between mark and drop', 'backup of ours'],
  ['between drop and deletion', 'prune of ours'],
  ['between mark and drop', 'rustic backup'],
  ['between drop and deletion', 'backup of ours'],
  ['between mark and drop', 'prune of ours'],
  ['between mark and drop', 'rustic prune'],
  ['between mark and drop', 'restic repair index'],
] as const;

const tried = isFullBudget ? untried : untried.slice(0, 2);

for (const [phase, other] of tried) {
  const skip = withoutRestic('0.19.1') || (other.startsWith('rustic') && withoutRustic());
  test(`${phase} of a deferred prune, a ${other} loses nothing`, { skip, timeout }, async (context) => {
    await using on = await stage();
    const names = await phases[phase](on, deeds[other]);
    await prunes(on.at);
    await assertFinishes(on.at, names);
    const table = besidePrune(other, { [phase]: 'whole' });
    prove(context, { claim: `prune: a ${other} ${phase}`, count: 'whole', table });
  });
}

test(
  'a backup of ours that goes on from before the mark until after it is whole',
  { skip: withoutRestic('0.19.1'), timeout },
  async (context) => {
    await using on = await stage();
    const running = await beginBackup(ours, on.at, 'gone');
    await prunes(on.at);
    await running.end();
    await prunes(on.at);
    await assertFinishes(on.at, ['kept', 'gone']);
    const table = besidePrune('backup of ours', { 'from before the mark until after it': 'whole' });
    prove(context, { claim: 'prune: a backup of ours from before the mark until after it', count: 'whole', table });
  },
);

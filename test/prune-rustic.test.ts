import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRustic } from './servers/rustic.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { assertFinishes, assertWhole, beginBackup, pruneADayAgo, prunes, stage } from './support/beside.ts';
import { prove } from './support/proof.ts';
import { besidePrune } from './support/prune-matrix.ts';
import { rusticProgram, rusticSays } from './support/rustic.ts';

const skip = withoutRestic('0.19.1') || withoutRustic();
const timeout = 3_600_000;

test(
  'a rustic backup that goes on from before the mark until after the drop gets its packs back',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    const running = await beginBackup(await rusticProgram(), on.at, 'gone');
    assert.doesNotMatch(await prunes(on.at), /others are at work/);
    await running.end();
    assert.match(await prunes(on.at), /taken back into the index/);
    await assertWhole(on.at, ['kept', 'gone']);
    await assertFinishes(on.at, ['kept', 'gone']);
    const table = besidePrune('rustic backup', {
      'from before the mark until after it': 'whole, its packs taken back',
      'in the drop': 'whole, its packs taken back',
    });
    prove(context, { claim: 'prune: a rustic backup throughout mark and drop', count: 'whole', table });
  },
);

test(
  'a rustic backup between the drop and the deletion stores anew what it needs',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await pruneADayAgo(on.at);
    await (await beginBackup(await rusticProgram(), on.at, 'gone')).end();
    const output = await prunes(on.at);
    assert.match(output, /not needed for a day: deleted/);
    assert.doesNotMatch(output, /taken back/);
    await assertFinishes(on.at, ['kept', 'gone']);
    const table = besidePrune('rustic backup', { 'between drop and deletion': 'whole' });
    prove(context, { claim: 'prune: a rustic backup between the drop and the deletion', count: 'whole', table });
  },
);

test(
  'a rustic prune between the drop and the deletion keeps what we dropped, and we what rustic marks',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await prunes(on.at);
    const said = await rusticSays(on.at, ['prune']);
    assert.match(said, /keep marked: +[1-9]/);
    await on.backUp('other');
    await resticOk('0.19.1', on.at, ['forget', '-q', '--unsafe-allow-remove-all', '--tag', 'other']);
    await rusticSays(on.at, ['prune', '--max-unused', '0B']);
    await prunes(on.at);
    await assertFinishes(on.at, ['kept']);
    const table = besidePrune('rustic prune', { 'between drop and deletion': 'whole' });
    prove(context, { claim: 'prune: a rustic prune between the drop and the deletion', count: 'whole', table });
  },
);

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { assertFinishes, assertWhole, pruneADayAgo, prunes, recordsOf, stage } from './support/beside.ts';
import { runHoldfast } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { besidePrune } from './support/prune-matrix.ts';
import { expectExit } from './support/two-tools.ts';

const skip = withoutRestic('0.19.1');
const timeout = 600_000;

test(
  'a restic backup begun before the mark and ended after it is whole, and so is what came later',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    const running = await on.begin('gone');
    assert.match(await prunes(on.at), /others are at work: the next prune goes on/);
    await running.end();
    await assertWhole(on.at, ['kept', 'gone']);
    assert.match(await prunes(on.at), /needed since: kept/);
    await assertFinishes(on.at, ['kept', 'gone']);
    const table = besidePrune('restic backup', { 'from before the mark until after it': 'whole' });
    prove(context, { claim: 'prune: a restic backup begun before the mark, ended after it', count: 'whole', table });
  },
);

test('a restic backup between the mark and the drop keeps what it uses', { skip, timeout }, async (context) => {
  await using on = await stage();
  const running = await on.begin('other');
  await prunes(on.at);
  await on.backUp('gone');
  await running.end();
  await prunes(on.at);
  await assertFinishes(on.at, ['kept', 'gone', 'other']);
  const table = besidePrune('restic backup', { 'between mark and drop': 'whole' });
  prove(context, { claim: 'prune: a restic backup between the mark and the drop', count: 'whole', table });
});

test(
  'a restic backup between the drop and the deletion stores anew what it needs',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await pruneADayAgo(on.at);
    await on.backUp('gone');
    const output = await prunes(on.at);
    assert.match(output, /not needed for a day: deleted/);
    assert.doesNotMatch(output, /taken back/);
    await assertFinishes(on.at, ['kept', 'gone']);
    const table = besidePrune('restic backup', { 'between drop and deletion': 'whole' });
    prove(context, { claim: 'prune: a restic backup between the drop and the deletion', count: 'whole', table });
  },
);

test(
  'a restic prune between the mark and the drop, or the drop and the deletion, gets in nobody’s way',
  { skip, timeout },
  async (context) => {
    await using marked = await stage();
    const running = await marked.begin('other');
    await prunes(marked.at);
    await running.end();
    await resticOk('0.19.1', marked.at, ['prune', '--max-unused', '0']);
    await prunes(marked.at);
    await assertFinishes(marked.at, ['kept', 'other']);
    const first = 'prune: a restic prune between the mark and the drop';
    const table = besidePrune('restic prune', { 'between mark and drop': 'whole' });
    prove(context, { claim: first, count: 'whole', table });

    await using dropped = await stage();
    await pruneADayAgo(dropped.at);
    await resticOk('0.19.1', dropped.at, ['prune', '--max-unused', '0']);
    await prunes(dropped.at);
    await assertFinishes(dropped.at, ['kept']);
    prove(context, {
      claim: 'prune: a restic prune between the drop and the deletion',
      count: 'whole',
      table: besidePrune('restic prune', { 'between drop and deletion': 'whole' }),
    });
  },
);

test(
  'restic’s repair of the index between the drop and the deletion takes the packs back',
  { skip, timeout },
  async (context) => {
    await using on = await stage();
    await pruneADayAgo(on.at);
    await resticOk('0.19.1', on.at, ['repair', 'index']);
    await on.backUp('gone');
    assert.match(await prunes(on.at), /kept/);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, {
      claim: 'prune: a restic repair index and backup between the drop and the deletion',
      count: 'whole',
      table: besidePrune('restic repair index', { 'between drop and deletion': 'whole' }),
    });
  },
);

test('a sweep waits for nobody: it is put off, exit code 3, and says so', { skip, timeout }, async () => {
  await using on = await stage();
  await pruneADayAgo(on.at);
  const running = await on.begin('other');
  const { code, stdout } = await runHoldfast(on.at, ['--json', 'prune', '--deferred']);
  assert.equal(code, 3);
  assert.match(stdout.toString(), /"message_type":"space".*"sweep_put_off":true/);
  await running.end();
  await assertFinishes(on.at, ['kept', 'other']);
});

test(
  'on local storage prune is restic’s unless asked otherwise, with restic’s output alone',
  { skip, timeout },
  async () => {
    await using on = await stage();
    const records = await recordsOf(on.at, ['prune', '--max-unused', '0']);
    assert.deepEqual(
      records.map((record) => record['message_type']),
      ['summary'],
    );
    assert.ok(!readdirSync(on.at.repository).includes('holdfast'));
    await assertWhole(on.at, ['kept']);
    await expectExit(2, 'holdfast', on.at, ['prune', '--instant', '--deferred']);
  },
);

test(
  'the JSON of a deferred prune says what is swept, what is planned, and when space returns',
  { skip, timeout },
  async () => {
    await using on = await stage();
    await pruneADayAgo(on.at);
    const startedNs = systemClock.nowNs();
    await on.backUp('other');
    await resticOk('0.19.1', on.at, ['forget', '-q', '--unsafe-allow-remove-all', '--tag', 'other']);
    const lines = await recordsOf(on.at, ['prune', '--deferred', '--max-unused', '0']);
    assert.deepEqual(
      lines.map((line) => line['message_type']),
      ['sweep', 'summary', 'space'],
    );
    const [sweep, , space] = lines;
    assert.deepEqual(Object.keys(sweep ?? {}), [
      'message_type',
      'remove',
      'drop',
      'recover',
      'unmark',
      'waiting',
      'unreadable_journals',
    ]);
    assert.deepEqual(Object.keys(space ?? {}), [
      'message_type',
      'swept',
      'kept_packs',
      'leaving',
      'returns_at',
      'sweep_put_off',
    ]);
    const returns = Temporal.Instant.from(String(space?.['returns_at'])).epochNanoseconds;
    assert.ok(returns >= startedNs + 24n * 3_600_000_000_000n);
  },
);

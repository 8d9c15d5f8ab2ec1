import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseLsn } from '../src/source/postgres/lsn.ts';
import { notedSegment } from '../src/source/postgres/stream/noted-segment.ts';
import { isFullBudget } from './budget.ts';
import { withoutPostgresVersions } from './servers/postgres-versions.ts';
import { writeLedger, type Entry } from './support/ledger.ts';
import { logDamages, type Damageable, type LogDamage } from './support/log-damages.ts';
import { backedUp, idsIn, type Shop } from './support/moment-scene.ts';
import { logOf, walOf } from './support/postgres-log.ts';
import { prove } from './support/proof.ts';
import { runOk } from './support/run-program.ts';

const major = '18';
const rows = {
  'the backup': '1 2',
  'before the damage': '1 2 3 4',
  'the pieces': '1 2 3 4 5 6 7 8 9',
  'all': '1 2 3 4 5 6 7 8 9 10 11',
};

/** Three segments with two rows each, and one that is still written in three pieces, a row in each. */
async function fillLog(made: Shop): Promise<Pick<Damageable, 'segments'>> {
  const { shop, scene } = made;
  await shop.sql('select pg_switch_wal()');
  const [begun = ''] = await shop.sql('select pg_walfile_name(pg_current_wal_insert_lsn())');
  await writeLedger(shop, [3, 4, 5, 6, 7, 8], 2);
  const open = await writeLedger(shop, [9, 10, 11], 20);
  await using log = await logOf(scene.file(), shop);
  const all = await walOf(shop, '000000010000000000000001');
  for (const { extent, bytes } of all.slice(0, -1)) await log.store.put(extent, bytes, notedSegment(extent, bytes));
  const last = all.at(-1) ?? assert.fail();
  await putPieces(log.store, last, open);
  return { segments: all.filter(({ name }) => name >= begun).slice(0, 3) };
}

async function putPieces(
  store: Damageable['store'],
  { extent: segment, bytes }: Damageable['segments'][number],
  ledger: readonly Entry[],
): Promise<void> {
  let from = segment.from;
  for (const { after } of ledger) {
    const to = parseLsn(after);
    await store.putPiece({ segment, from, to }, bytes.subarray(Number(from - segment.from), Number(to - segment.from)));
    from = to;
  }
}

/** What became of `restore --latest`, in the words of the list. */
async function restored({ scene }: Shop, folder: string, { what, outcome }: LogDamage): Promise<string> {
  const { code, stdout, stderr } = await scene.run('restore', 'shop-db', '--latest', '--target', scene.file(folder));
  const said = `${what}: ${code}\n${stderr}\n${stdout.toString()}`;
  if ('refused' in outcome) {
    assert.notEqual(code, 0, said);
    assert.match(said, outcome.refused);
    return 'refused';
  }
  assert.equal(code, 0, said);
  assert.match(said, outcome.told ?? /./);
  assert.equal(await idsIn(major, scene, folder), rows[outcome.upTo], said);
  return outcome.upTo === 'all' ? 'all comes back' : 'what is before it comes back, and the rest is told';
}

test(
  'no damage of a stored log is restored past in silence, or verified',
  { skip: withoutPostgresVersions() },
  async (context) => {
    await using made = await backedUp(major, 'there', '    verify: [{ every: 1d, do: restore }]');
    const { scene, shop } = made;
    const { segments } = await fillLog(made);
    const [saved, held] = [scene.file('saved'), scene.file('near/holdfast')];
    await runOk('cp', ['-a', held, saved]);
    const table: string[][] = [];
    for (const [number, damage] of (isFullBudget ? logDamages : logDamages.slice(0, 1)).entries()) {
      {
        await using log = await logOf(scene.file(), shop);
        const folder = (kind: string): string => join(held, kind, 'shop-db', log.store.name.stream, '00000001');
        await damage.inflict({ store: log.store, segments, closed: folder('log'), open: folder('open') });
      }
      const outcome = await restored(made, `${number}`, damage);
      const isHarmless = 'upTo' in damage.outcome && damage.outcome.upTo === 'all';
      const asked = isFullBudget || number === 0;
      const state = asked ? await verifiedAs(made) : '–';
      if (asked) assert.equal(state === 'verified', isHarmless, `${damage.what}: ${state}`);
      table.push([damage.what, outcome, state]);
      await rm(held, { recursive: true });
      await runOk('cp', ['-a', saved, held]);
      await rm(scene.file(`${number}`), { recursive: true, force: true });
    }
    prove(context, {
      claim: 'no damage of a stored log is restored past in silence, or verified',
      count: `${table.length} damages`,
      table: {
        title: 'PostgreSQL: damages of the log',
        columns: ['what is wrong', 'restore --latest', 'verify --latest'],
        rows: table,
      },
    });
  },
);

async function verifiedAs({ scene }: Shop): Promise<string> {
  const { all } = await scene.verified('shop-db', '--latest');
  return all[0]?.state ?? 'nothing';
}

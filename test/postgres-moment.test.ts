import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { postgresMajors, withoutPostgresVersions, type PostgresMajor } from './servers/postgres-versions.ts';
import { isFullBudget } from './budget.ts';
import { writeLedger, type Entry } from './support/ledger.ts';
import { backedUp, idsIn, storeLog, type Shop } from './support/moment-scene.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { shared } from './support/shared.ts';

const skip = withoutPostgresVersions();

const upTo = (last: number): string => Array.from({ length: last }, (_, index) => index + 1).join(' ');

const entryOf = (ledger: readonly Entry[], id: number): Entry => ledger.find((one) => one.id === id) ?? assert.fail();

type Named = readonly [words: readonly string[], last: number];

/** How moments are named, and the last row that is there. */
function everyKind(ledger: readonly Entry[]): readonly Named[] {
  return [
    [['--at', entryOf(ledger, 5).time], 5],
    [['--name', 'before_the_sale'], 8],
    [['--xid', entryOf(ledger, 7).xid, '--exclusive'], 6],
    [['--lsn', entryOf(ledger, 6).after, '--exclusive'], 6],
    [['--latest'], 9],
    [['--at', entryOf(ledger, 8).time, '--exclusive'], 7],
    [['--xid', entryOf(ledger, 3).xid], 3],
    [['--immediate'], 2],
  ];
}

/** Any of them, by one of its names. */
function drawn(ledger: readonly Entry[]): Named {
  const { id, time, xid, before, after } = ledger[randomInt(ledger.length - 1)] ?? assert.fail();
  const named: readonly Named[] = [
    [['--at', time], id],
    [['--at', time, '--exclusive'], id - 1],
    [['--xid', xid], id],
    [['--xid', xid, '--exclusive'], id - 1],
    [['--lsn', before, '--exclusive'], id - 1],
    [['--lsn', after, '--exclusive'], id],
  ];
  return named[randomInt(named.length)] ?? assert.fail();
}

/** In `npm test` each kind of name once; in the full run all of them and as many drawn as make 20. */
function momentsFor(ledger: readonly Entry[]): readonly Named[] {
  const kinds = everyKind(ledger);
  if (isFullBudget) return [...kinds, ...Array.from({ length: 20 - kinds.length }, () => drawn(ledger))];
  return kinds.slice(0, 5);
}

interface Logged extends Shop {
  readonly ledger: readonly Entry[];
}

/** Rows 1 to 9, each a transaction, and a point with a name before the last. */
async function logged(major: PostgresMajor): Promise<Logged> {
  const made = await backedUp(major);
  const { shop } = made;
  const ledger = [...(await writeLedger(shop, [3, 4, 5, 6, 7, 8]))];
  await shop.sql("select pg_create_restore_point('before_the_sale')");
  ledger.push(...(await writeLedger(shop, [9])));
  await storeLog(made);
  return { ...made, ledger };
}

const loggedOf = shared(logged);

for (const major of isFullBudget ? postgresMajors : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: a cluster comes back to moments of its log with exactly what was committed`,
    { skip },
    async (context) => {
      const { scene, ledger } = await loggedOf(major);
      const moments = momentsFor(ledger);
      let measured = 0;
      for (const [number, [words, last]] of moments.entries()) {
        const said = await scene.ok('restore', 'shop-db', ...words, '--target', scene.file(`${number}`));
        if (measured > 0) assert.match(said, new RegExp(`replay: .* \\(by ${Math.min(measured, 9)} measured\\)`));
        if (!words.includes('--immediate')) measured += 1;
        assert.equal(await idsIn(major, scene, `${number}`), upTo(last), `${words.join(' ')}\n${said}`);
        const auto = await readFile(scene.file(`${number}`, 'shop-db/data/postgresql.auto.conf'), 'utf8');
        assert.match(auto, /^archive_mode = 'off'$/m);
        assert.equal(existsSync(scene.file(`${number}`, 'shop-db/.holdfast')), false);
      }
      const claim = 'a cluster comes back to moments of its log with exactly what was committed';
      proveForVersion(context, major, { claim, column: 'moments', count: `${moments.length} moments` });
    },
  );
}

test(
  'a moment that can’t be reached is refused with the nearest that can, before anything is touched',
  { skip },
  async () => {
    const { scene, ledger } = await loggedOf('18');
    const last = entryOf(ledger, 9);
    for (const [words, wanted] of [
      [
        ['--at', '2099-01-01 00:00:00Z'],
        `nothing was done after it; what can be brought back: up to ${String(Temporal.Instant.from(last.time))}`,
      ],
      [['--lsn', '7F/0'], 'it ends, or has a gap, before it'],
      [['--lsn', '0/100028'], 'no backup is as old'],
      [['--xid', '4000000'], 'doesn’t have it'],
      [['--name', 'nowhere'], 'doesn’t have it'],
      [['--latest', '--timeline', '7'], 'no backup leads to timeline 7; the log holds 1'],
    ] as const) {
      const { code, stderr } = await scene.run('restore', 'shop-db', ...words, '--target', scene.file('no'));
      assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
      assert.ok(stderr.includes(wanted) && stderr.includes('--latest'), stderr);
    }
    assert.equal(existsSync(scene.file('no')), false);
    assert.equal(
      (await scene.run('restore', 'shop-db', '--latest', '--dry-run', '--target', scene.file('no'))).code,
      0,
    );
    assert.equal(existsSync(scene.file('no')), false);
  },
);

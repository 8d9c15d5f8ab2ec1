import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../src/bytes/crc32c.ts';
import { endingsIn } from '../src/source/postgres/recover/endings.ts';
import { notedOf } from '../src/source/postgres/wal/noted.ts';
import { segmentFacts } from '../src/source/postgres/wal/segment.ts';
import { isFullBudget } from './budget.ts';
import { withoutPostgresVersions } from './servers/postgres-versions.ts';
import { writeLedger, type Entry } from './support/ledger.ts';
import { backedUp, idsIn, type Shop } from './support/moment-scene.ts';
import { logOf, walOf } from './support/postgres-log.ts';

const major = '18';
const hourUs = 3_600_000_000n;

/** Where things stand in a commit record that fits into a page: its header has 24 bytes, then comes what it is about. */
const at = { length: 0, crc: 20, dataKind: 24, time: 26 } as const;

/** As if the server's clock had been an hour ahead when these transactions were committed; each record is whole again. */
function withClockAhead(name: string, bytes: Buffer, xids: ReadonlySet<number>): Buffer {
  const changed = Buffer.from(bytes);
  const facts = segmentFacts(name, bytes);
  for (const { lsn, xid, kind } of endingsIn(facts, bytes)) {
    if (kind !== 'commit' || !xids.has(xid)) continue;
    const from = Number(lsn - facts.start);
    const record = changed.subarray(from, from + changed.readUInt32LE(from + at.length));
    assert.equal(record.readUInt8(at.dataKind), 255, 'it is about nothing else than its own data');
    record.writeBigInt64LE(record.readBigInt64LE(at.time) + hourUs, at.time);
    record.writeUInt32LE(crc32c(crc32c(0, record.subarray(at.dataKind)), record.subarray(0, at.crc)), at.crc);
  }
  return changed;
}

async function storeWith({ scene, shop }: Shop, xids: ReadonlySet<number>): Promise<void> {
  const [closed = ''] = await shop.sql('select pg_walfile_name(pg_switch_wal())');
  await using log = await logOf(scene.file(), shop);
  for (const { name, extent, bytes } of await walOf(shop, '000000010000000000000001')) {
    if (name > closed) continue;
    const changed = withClockAhead(name, Buffer.from(bytes), xids);
    await log.store.put(extent, changed, notedOf(segmentFacts(name, changed), changed));
  }
}

function hourLater({ time }: Entry): string {
  const then = Temporal.Instant.from(time.replace(' ', 'T')).add({ hours: 1 });
  return then.toString({ fractionalSecondDigits: 6 }).replace('T', ' ');
}

test(
  'where the server’s clock was put back, a time is where its first later commit stands in the log, as the server has it',
  { skip: withoutPostgresVersions() },
  async () => {
    await using made = await backedUp(major);
    const { scene, shop } = made;
    const [third, fourth, fifth] = await writeLedger(shop, [3, 4, 5, 6, 7], 2);
    if (third === undefined || fourth === undefined || fifth === undefined) return assert.fail();
    await storeWith(made, new Set([Number(third.xid), Number(fourth.xid)]));
    const restored = async (time: string, folder: string): Promise<string> => {
      const said = await scene.ok('restore', 'shop-db', '--at', time, '--target', scene.file(folder));
      return `${await idsIn(major, scene, folder)} ${/stops at/.test(said)}`;
    };
    assert.equal(await restored(hourLater(third), 'third'), '1 2 3 true');
    if (isFullBudget) assert.equal(await restored(fifth.time, 'fifth'), '1 2 true');
    const { code, stderr } = await scene.run(
      'restore',
      'shop-db',
      '--at',
      hourLater(fourth),
      '--target',
      scene.file('no'),
    );
    assert.equal(code, 2);
    assert.match(stderr, /nothing was done after it/);
  },
);

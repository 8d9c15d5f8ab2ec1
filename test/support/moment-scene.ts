import { chmod } from 'node:fs/promises';
import {
  postgresPrograms,
  smallSegments,
  type PostgresMajor,
  type TemplateOptions,
} from '../servers/postgres-program.ts';
import { startPostgresVersion, type PostgresServer } from '../servers/postgres-versions.ts';
import { writeLedger } from './ledger.ts';
import { logOf, walOf } from './postgres-log.ts';
import { shopScene, startCopy } from './postgres-scene.ts';
import { tempDir } from './temp-dir.ts';
import type { Scene } from './verifying.ts';

export interface Shop extends AsyncDisposable {
  readonly scene: Scene;
  readonly shop: PostgresServer;
}

const log = '    log: { mode: archive, to: { near: { window: 14d } } }';
export const shopSettings = ['autovacuum=off', 'wal_keep_size=1GB', 'track_commit_timestamp=on'] as const;

/** A cluster with rows 1 and 2 in `orders`, then backed up; whose log is put into the repository by hand. */
export async function backedUp(
  major: PostgresMajor,
  programs: 'there' | 'missing' = 'there',
  more = '',
  databases: Pick<TemplateOptions, 'databases'> = {},
): Promise<Shop> {
  await using stack = new AsyncDisposableStack();
  const cluster = { major, initdb: smallSegments, settings: shopSettings, ...databases };
  const shop = stack.use(await startPostgresVersion(cluster));
  await shop.sql('create table orders (id int, what text)');
  const dir = stack.use(await tempDir());
  await chmod(dir.path, 0o755);
  const options = programs === 'there' ? `programs: [${await postgresPrograms(major)}]` : '';
  const scene = await shopScene(dir.path, shop.url, { options, more: `${log}\n${more}` });
  await writeLedger(shop, [1, 2]);
  await scene.ok('backup', 'shop-db');
  const kept = stack.move();
  return { scene, shop, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

/** Closes the segment that is written, and puts those of a timeline into the repository. */
export async function storeLog({ scene, shop }: Pick<Shop, 'scene' | 'shop'>, timeline = 1): Promise<void> {
  // Where nothing was written since the last, it is the beginning of the next, which servers since 17 name by that.
  const [closed = ''] = await shop.sql('select pg_walfile_name(pg_switch_wal() - 1)');
  await using held = await logOf(scene.file(), shop);
  for (const { name, extent, bytes } of await walOf(shop, '000000010000000000000001')) {
    if (extent.epoch === timeline && name <= closed) await held.store.put(extent, bytes, { facts: {} });
  }
}

/** The rows of a cluster that was restored below a folder of the scene. */
export async function idsIn(major: PostgresMajor, scene: Scene, folder: string): Promise<string> {
  await using copy = await startCopy(major, scene.file(folder, 'shop-db', 'data'));
  return (await copy.sql('select id from orders order by id')).join(' ');
}

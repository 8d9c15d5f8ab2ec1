import { utimes } from 'node:fs/promises';
import { pruneJournalFolder } from '../../src/repository/own-object.ts';
import { openLocal } from '../../src/storage/local.ts';
import { openStorage } from '../../src/storage/open.ts';
import type { S3Server } from '../servers/s3-server.ts';
import { backupFolder, cheapKey, jobContext, newRepository } from './engine.ts';
import type { Place, Stage } from './kill-stage.ts';
import { keysOf } from './leaving.ts';
import { MovableClock } from './movable-clock.ts';
import { pruneAll } from './operations.ts';
import type { TempDir } from './temp-dir.ts';

const bucket = 'kills';

/** Each copy has a prefix of its own: what the server still does for a dead program harms no later one. */
export function s3Place(server: S3Server): Place {
  let copies = 0;
  const address = (): string => `s3:${server.endpoint}/${bucket}/${copies}`;
  const open: Place['open'] = async () => await openStorage(address(), { environment: server.owner, create: true });
  return {
    get at() {
      return { repository: address(), password: cheapKey.password };
    },
    env: server.owner,
    isElsewhere: true,
    open,
    copyAnew: async (original) => {
      copies += 1;
      await using from = await openLocal(original);
      await using to = await open();
      const keys = await Array.fromAsync(from.list(''), ({ key }) => key);
      await Promise.all(keys.map(async (key) => await to.put(key, [await from.get(key)])));
    },
  };
}

/** Of three snapshots the first was forgotten, and what it alone needs dropped, a day ago; the second just now. */
export async function dropADayAgo({ place, history }: Stage, server: S3Server): Promise<void> {
  await using storage = await place.open();
  const [first, second] = history;
  await storage.remove(`snapshots/${first?.id}`);
  const clock = new MovableClock();
  clock.skipHours(-25);
  await pruneAll(jobContext(storage, clock), { way: 'deferred' });
  const prefix = place.at.repository.slice(`s3:${server.endpoint}/`.length);
  const seconds = Number(clock.nowNs() / 1_000_000_000n);
  for (const key of await keysOf(storage, pruneJournalFolder))
    await utimes(server.running.dir.file(`data/${prefix}/${key}`), seconds, seconds);
  await storage.remove(`snapshots/${second?.id}`);
}

/** Another repository of the same folder, to copy from. */
export async function otherRepository(dir: TempDir): Promise<void> {
  await using storage = await openLocal(dir.file('other'), { create: true });
  await newRepository(storage);
  for (const folder of ['data/notes', 'data']) await backupFolder(jobContext(storage), dir.file(folder));
}

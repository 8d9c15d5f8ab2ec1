import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { ManualClock } from '../../src/clock/manual-clock.ts';
import type { JobContext } from '../../src/job/job.ts';
import { undelete, type UndeleteJobOutcome } from '../../src/job/undelete.ts';
import { openRepository } from '../../src/repository/open.ts';
import { writeOwnObject } from '../../src/repository/own-object.ts';
import { asOfView } from '../../src/storage/as-of.ts';
import { VersionedMemoryStorage } from '../../src/storage/memory-versions.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { Retention, VersionInfo } from '../../src/storage/versions.ts';
import { backupFolder, cheapKey, jobContext, newRepository } from './engine.ts';
import { tempDir } from './temp-dir.ts';

const hourMs = 3_600_000;
const password = cheapKey.password;

/** A repository in a storage that keeps versions, and a time at which it was whole. */
export interface Victim {
  readonly storage: VersionedMemoryStorage;
  readonly clock: ManualClock;
  readonly timeNs: bigint;
}

/** Two backups, then the time, then an hour and perhaps a third one. */
export async function victim(
  options: { readonly retention?: Retention; readonly since?: 'backup' } = {},
): Promise<Victim> {
  const clock = new ManualClock();
  const storage = new VersionedMemoryStorage(clock, options.retention);
  await using dir = await tempDir();
  mkdirSync(dir.file('data'));
  const backup = async (text: string): Promise<void> => {
    clock.advance(hourMs);
    writeFileSync(dir.file(`data/${text}`), text.repeat(1000));
    appendFileSync(dir.file('data/log'), text.repeat(50_000));
    await backupFolder(jobContext(storage), dir.file('data'));
  };
  await using repository = await newRepository(storage);
  await writeOwnObject(repository, 'holdfast/records/a/1', Buffer.from('{"of":"the repository"}'));
  await backup('one');
  await backup('two');
  clock.advance(hourMs);
  const timeNs = clock.nowNs();
  clock.advance(hourMs);
  if (options.since) await backup('since');
  clock.advance(hourMs);
  return { storage, clock, timeNs };
}

/** The same history in another storage. */
export async function replayed({ storage, clock, timeNs }: Victim): Promise<Victim> {
  const other = new ManualClock();
  const copy = new VersionedMemoryStorage(other, storage.versions.retention);
  const all = (await Array.fromAsync(storage.versions.list(''))).toSorted((a, b) => numberOf(a) - numberOf(b));
  for (const { key, version, deleted, modifiedNs } of all) {
    other.advance(Number((modifiedNs - other.nowNs()) / 1_000_000n));
    if (deleted) await copy.remove(key);
    else await copy.put(key, [await storage.versions.get(key, version)]);
  }
  other.advance(Number((clock.nowNs() - other.nowNs()) / 1_000_000n));
  return { storage: copy, clock: other, timeNs };
}

function numberOf({ version }: VersionInfo): number {
  return Number(version.slice(1));
}

/** What `repair undelete` does; `through` is the way to the storage. */
export async function undeleted(
  { storage, clock, timeNs }: Victim,
  mode: 'execute' | 'dry-run' = 'execute',
  through: Storage = storage,
): Promise<UndeleteJobOutcome> {
  const context = jobContext(storage);
  const open: JobContext['access']['open'] = async () =>
    await openRepository({ storage: asOfView(storage, timeNs), clock, password });
  const access = { ...context.access, open };
  return await undelete({ ...context, access, clock }, { storage: through, timeNs, mode, onPlan: () => undefined });
}

/** Everything that can be seen, by key. */
export async function seen(storage: Storage): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { key } of storage.list('')) found.set(key, Buffer.from(await storage.get(key)).toString('hex'));
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../src/clock/clock.ts';
import { hasCode } from '../src/errors/error.ts';
import type { Policies } from '../src/storage/policy.ts';
import { openStorage } from '../src/storage/open.ts';
import type { Storage } from '../src/storage/storage.ts';
import { isLockable, type VersionInfo } from '../src/storage/versions.ts';
import { withoutGo } from './servers/go-program.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { servedOk, servedHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { jsonLines } from './support/scene.ts';
import { usersOf, type S3User } from './support/s3-users.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const lock = ['-o', 's3.lock=1h'];
const farNs = BigInt(Date.UTC(3000, 0, 1)) * 1_000_000n;

const deeds = [
  'removed a version',
  'shortened a lock',
  'weakened a lock',
  'locked to the year 3000',
  'wrote over',
  'hid',
  'filled the bucket',
] as const;
type Deed = (typeof deeds)[number];

/** How often a thief tried something, and how often the storage let it. */
type Theft = Readonly<Record<Deed, { tried: number; done: number }>>;

function nothingYet(): Theft {
  const none = deeds.map((deed) => [deed, { tried: 0, done: 0 }]);
  return Object.fromEntries(none) as Theft;
}

function doneIn(theft: Theft): readonly Deed[] {
  return deeds.filter((deed) => theft[deed].done > 0).toSorted((a, b) => a.localeCompare(b));
}

/** With somebody's credentials: hides, removes, shortens, weakens, prolongs, covers and fills. */
async function steal(storage: Storage): Promise<Theft> {
  const { versions } = storage;
  assert.ok(versions);
  const all = (await Array.fromAsync(versions.list(''))).filter(({ key, deleted }) => isLockable(key) && !deleted);
  const theft = nothingYet();
  const attempt = async (what: Deed, deed: Promise<unknown>): Promise<void> => {
    theft[what].tried += 1;
    const refused: unknown = await deed.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused === undefined) theft[what].done += 1;
    // Junk of an earlier thief is not locked: what is removed can't be locked any more.
    else assert.ok(hasCode(refused, 'storage-denied', 'storage-not-found'), `${what}: ${inspect(refused)}`);
  };
  const soonNs = systemClock.nowNs() + 60_000_000_000n;
  for (const { key, version } of all) {
    await attempt('removed a version', versions.remove(key, version));
    await attempt('shortened a lock', versions.lock(key, version, { untilNs: soonNs, mode: 'compliance' }));
    await attempt('weakened a lock', versions.lock(key, version, { untilNs: soonNs, mode: 'governance' }));
  }
  for (const { key, version } of all.filter((one) => one.key === 'config'))
    await attempt('locked to the year 3000', versions.lock(key, version, { untilNs: farNs, mode: 'compliance' }));
  const keys = new Set(all.map(({ key }) => key));
  for (const key of keys) await attempt('wrote over', storage.put(key, [Buffer.from(`junk for ${key}`)]));
  for (const key of keys) await attempt('hid', storage.remove(key));
  for (let n = 0; n < 10; n++)
    await attempt('filled the bucket', storage.put(`data/ff/${'f'.repeat(60)}${1000 + n}`, [Buffer.alloc(100_000)]));
  return theft;
}

/** Everything is there, as of a time or now, down to the last byte. */
async function recovered(
  at: RepositoryAt,
  env: S3User,
  out: string,
  ...asOf: readonly string[]
): Promise<readonly string[]> {
  await servedOk(at, ['check', '--read-data', ...asOf], { env });
  const snapshots: unknown = JSON.parse(await servedOk(at, ['snapshots', '--json', ...asOf], { env }));
  assert.ok(Array.isArray(snapshots));
  const texts: string[] = [];
  for (const [n, { id }] of (snapshots as readonly { readonly id: string }[]).entries()) {
    const target = `${out}-${n}`;
    await servedOk(at, ['restore', id, '--target', target, ...asOf], { env });
    texts.push(await readFile(`${target}/file`, 'utf8'));
  }
  return texts;
}

/** By `repair undelete`: then Holdfast and restic read everything, and it is locked. */
async function undeleted(at: RepositoryAt, env: S3User, time: Date, out: string): Promise<readonly string[]> {
  const repair = ['repair', 'undelete', ...lock, '--as-of', time.toISOString()];
  const shown = jsonLines(await servedOk(at, [...repair, '--dry-run', '--json'], { env }));
  const actions = shown.map((record) => record['action']);
  assert.ok(actions.includes('hide') && shown.at(-1)?.['dry_run'] === true);
  assert.equal(shown.at(-1)?.['objects_hidden'], actions.filter((action) => action === 'hide').length);
  assert.match(await servedOk(at, repair, { env }), /now run `holdfast check`/);
  assert.match(await servedOk(at, repair, { env }), /everything is as it was then/);
  assert.match(await servedOk(at, ['check', '--locks'], { env }), /immutable until/);
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data', '--no-cache'], { env }), /no errors were found/);
  return await recovered(at, env, out);
}

/** With a writer's credentials what was covered comes back; what fills the bucket stays, and is named. */
async function undeletedByWriter(at: RepositoryAt, env: S3User, time: Date): Promise<void> {
  const repair = ['repair', 'undelete', ...lock, '--as-of', time.toISOString()];
  const { code, stderr } = await servedHoldfast(at, repair, { env });
  assert.deepEqual([code, stderr.match(/data\/ff\/f+10\d\d could not be hidden/g)?.length], [3, 10], stderr);
}

async function later(): Promise<Date> {
  const time = new Date();
  while (systemClock.nowNs() < BigInt(time.getTime() + 1500) * 1_000_000n) await systemClock.sleep(50);
  return time;
}

const ends: Readonly<Record<Deed, string>> = {
  'removed a version': 'only versions without a lock: junk',
  'shortened a lock': 'every lock holds to its end',
  'weakened a lock': 'every lock holds to its end',
  'locked to the year 3000': 'nothing to recover: it costs storage',
  'wrote over': 'recovered, as of before and in place',
  'hid': 'recovered, as of before and in place',
  'filled the bucket': 'hidden in place; it costs storage',
};

function rowsOf(server: string, who: string, theft: Theft): readonly (readonly string[])[] {
  return deeds.map((deed) => {
    const { tried, done } = theft[deed];
    const end = done === 0 ? 'nothing happened' : ends[deed];
    return [server, who, deed, String(tried), String(done), String(tried - done), end];
  });
}

/** Versions that nobody can remove yet. */
async function lockedOf(storage: Storage): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const { key, version, deleted } of storage.versions?.list('') ?? [])
    if (!deleted && (await storage.versions?.lockOf(key, version))) found.add(`${key} ${version}`);
  return found;
}

/** All versions that are not the thief's: those that were there before. */
async function versionsOf(storage: Storage): Promise<ReadonlySet<string>> {
  const all: VersionInfo[] = await Array.fromAsync(storage.versions?.list('') ?? []);
  return new Set(
    all.filter(({ key, deleted }) => isLockable(key) && !deleted).map(({ key, version }) => `${key} ${version}`),
  );
}

for (const { name, start } of s3Servers) {
  test(
    `on ${name} a thief with the writer’s or the pruner’s credentials destroys nothing`,
    { skip: withoutGo() || withoutRestic('0.19.1'), timeout: 600_000 },
    async (context) => {
      await using server = await start();
      await using dir = await tempDir();
      const owner = server.owner;
      const locking = { environment: owner, options: new Map([['s3.lock', '1h']]) };
      const at = await cheapRepositoryAt(`s3:${server.endpoint}/bucket/shop`, locking);
      const printed = await servedOk(at, ['doctor', 'storage', at.repository, '--print-policy']);
      const users = await usersOf(server, 'bucket', JSON.parse(printed) as Policies);
      for (const text of ['first', 'second']) {
        await writeFile(dir.file('file'), text);
        const said = await servedOk(at, ['backup', 'file', ...lock], { env: users.writer, cwd: dir.path });
        assert.match(said, /immutable until/);
      }
      assert.match(await servedOk(at, ['check', '--locks'], { env: users.writer }), /immutable until/);
      const time = await later();
      const asOf = ['--as-of', time.toISOString()];
      await using ownerStorage = await openStorage(at.repository, { environment: owner });
      const before = await versionsOf(ownerStorage);

      await using writers = await openStorage(at.repository, { environment: users.writer });
      const theft = await steal(writers);
      assert.deepEqual(doneIn(theft), ['filled the bucket', 'locked to the year 3000', 'wrote over']);
      assert.ok(before.isSubsetOf(await versionsOf(ownerStorage)));
      assert.notEqual((await servedHoldfast(at, ['check'], { env: owner })).code, 0);
      assert.deepEqual(await recovered(at, owner, dir.file('as-of-writer'), ...asOf), ['first', 'second']);
      await undeletedByWriter(at, users.writer, time);
      assert.deepEqual(await undeleted(at, owner, time, dir.file('after-writer')), ['first', 'second']);

      await writeFile(dir.file('file'), 'third');
      await servedOk(at, ['backup', 'file', ...lock], { env: users.writer, cwd: dir.path });
      const second = await later();
      const locked = await lockedOf(ownerStorage);
      await using pruners = await openStorage(at.repository, { environment: users.pruner });
      const secondTheft = await steal(pruners);
      assert.deepEqual(
        doneIn(secondTheft).filter((what) => what.includes('lock')),
        ['locked to the year 3000'],
      );
      assert.ok(locked.isSubsetOf(await versionsOf(ownerStorage)));
      assert.equal((await servedHoldfast(at, ['snapshots'], { env: owner })).code, 10);
      assert.deepEqual(await recovered(at, owner, dir.file('as-of-pruner'), ...asOf), ['first', 'second']);
      const all = ['first', 'second', 'third'];
      assert.deepEqual(await undeleted(at, owner, second, dir.file('after-pruner')), all);

      const counts = [theft, secondTheft].map((one) => deeds.reduce((sum, deed) => sum + one[deed].tried, 0));
      prove(context, {
        claim: `on ${name} a thief with printed credentials destroys nothing: repair undelete brings all back, and restic reads it`,
        count: `${counts[0]} deeds with a writer’s credentials, ${counts[1]} with a pruner’s`,
        table: {
          title: 'The thief drill',
          columns: ['server', 'credentials', 'deed', 'tried', 'done', 'refused', 'afterwards'],
          rows: [...rowsOf(name, 'writer', theft), ...rowsOf(name, 'pruner', secondTheft)],
        },
      });
    },
  );
}

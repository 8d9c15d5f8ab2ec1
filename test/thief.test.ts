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
import { s3Servers } from './servers/s3-servers.ts';
import { holdfastOk, runHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { prove } from './support/proof.ts';
import { usersOf, type S3User } from './support/s3-users.ts';
import { tempDir } from './support/temp-dir.ts';

const lock = ['-o', 's3.lock=1h'];
const farNs = BigInt(Date.UTC(3000, 0, 1)) * 1_000_000n;

/** What a thief tried, and how often the storage let it. */
interface Theft {
  readonly tried: number;
  readonly done: readonly string[];
}

/** With somebody's credentials: hides, removes, shortens, weakens, prolongs, covers and fills. */
async function steal(storage: Storage): Promise<Theft> {
  const { versions } = storage;
  assert.ok(versions);
  const all = (await Array.fromAsync(versions.list(''))).filter(({ key, deleted }) => isLockable(key) && !deleted);
  const done = new Set<string>();
  let tried = 0;
  const attempt = async (what: string, deed: Promise<unknown>): Promise<void> => {
    tried += 1;
    const refused: unknown = await deed.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused === undefined) done.add(what);
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
  for (const { key } of all) await attempt('wrote over', storage.put(key, [Buffer.from(`junk for ${key}`)]));
  for (const { key } of all) await attempt('hid', storage.remove(key));
  for (let n = 0; n < 10; n++)
    await attempt('filled the bucket', storage.put(`data/ff/${'f'.repeat(60)}${1000 + n}`, [Buffer.alloc(100_000)]));
  return { tried, done: [...done].toSorted((a, b) => a.localeCompare(b)) };
}

/** Everything is there as of a time, down to the last byte. */
async function recovered(at: RepositoryAt, env: S3User, time: Date, out: string): Promise<readonly string[]> {
  const asOf = ['--as-of', time.toISOString()];
  await holdfastOk(at, ['check', '--read-data', ...asOf], { env });
  const snapshots: unknown = JSON.parse(await holdfastOk(at, ['snapshots', '--json', ...asOf], { env }));
  assert.ok(Array.isArray(snapshots));
  const texts: string[] = [];
  for (const [n, { id }] of (snapshots as readonly { readonly id: string }[]).entries()) {
    const target = `${out}-${n}`;
    await holdfastOk(at, ['restore', id, '--target', target, ...asOf], { env });
    texts.push(await readFile(`${target}/file`, 'utf8'));
  }
  return texts.toSorted((a, b) => a.localeCompare(b));
}

async function later(): Promise<Date> {
  const time = new Date();
  while (systemClock.nowNs() < BigInt(time.getTime() + 1500) * 1_000_000n) await systemClock.sleep(50);
  return time;
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
    { skip: withoutGo() },
    async (context) => {
      await using server = await start();
      await using dir = await tempDir();
      const at = { repository: `s3:${server.endpoint}/bucket/shop`, password: 'secret' };
      const owner = server.owner;
      await holdfastOk(at, ['init', ...lock], { env: owner });
      const printed = await holdfastOk(at, ['doctor', 'storage', at.repository, '--print-policy']);
      const users = await usersOf(server, 'bucket', JSON.parse(printed) as Policies);
      for (const text of ['first', 'second']) {
        await writeFile(dir.file('file'), text);
        const said = await holdfastOk(at, ['backup', 'file', ...lock], { env: users.writer, cwd: dir.path });
        assert.match(said, /immutable until/);
      }
      assert.match(await holdfastOk(at, ['check', '--locks'], { env: users.writer }), /immutable until/);
      const time = await later();
      await using ownerStorage = await openStorage(at.repository, { environment: owner });
      const before = await versionsOf(ownerStorage);

      await using writers = await openStorage(at.repository, { environment: users.writer });
      const theft = await steal(writers);
      assert.deepEqual(theft.done, ['filled the bucket', 'locked to the year 3000', 'wrote over']);
      assert.ok(before.isSubsetOf(await versionsOf(ownerStorage)));
      assert.notEqual((await runHoldfast(at, ['check'], { env: owner })).code, 0);
      assert.deepEqual(await recovered(at, owner, time, dir.file('after-writer')), ['first', 'second']);

      await using pruners = await openStorage(at.repository, { environment: users.pruner });
      const second = await steal(pruners);
      assert.deepEqual(
        second.done.filter((what) => what.includes('lock')),
        ['locked to the year 3000'],
      );
      assert.ok(before.isSubsetOf(await versionsOf(ownerStorage)));
      assert.equal((await runHoldfast(at, ['snapshots'], { env: owner })).code, 10);
      assert.deepEqual(await recovered(at, owner, time, dir.file('after-pruner')), ['first', 'second']);

      prove(context, {
        claim: `on ${name} a thief with printed credentials can cover, hide, prolong and fill, and everything is recovered as of before`,
        count: `${theft.tried} deeds of a writer (done: ${theft.done.join(', ')}), ${second.tried} of a pruner (done: ${second.done.join(', ')})`,
      });
    },
  );
}

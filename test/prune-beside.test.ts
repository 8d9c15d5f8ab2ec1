import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openLocal } from '../src/storage/local.ts';
import { pruneJournalFolder } from '../src/repository/own-object.ts';
import { restic, resticOk, runRestic, withoutRestic } from './servers/restic.ts';
import { jobContext } from './support/engine.ts';
import { runHoldfast, type RepositoryAt } from './support/holdfast.ts';
import { MovableClock } from './support/movable-clock.ts';
import { pruneAll } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { blobBytes } from './support/repository.ts';
import { jsonLines, type JsonRecord } from './support/scene.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository, expectExit } from './support/two-tools.ts';

const mib = 2 ** 20;
const skip = withoutRestic('0.19.1');
const timeout = 600_000;

/** Contents that snapshots of a stream hold, by their names. */
const contents = {
  kept: blobBytes('kept', 5 * mib),
  gone: blobBytes('gone', 6 * mib),
  other: blobBytes('other', 3 * mib),
};
type Name = keyof typeof contents;

interface Stage extends AsyncDisposable {
  readonly at: RepositoryAt;
  /** A backup that has read the index and has not got all of its input yet. */
  readonly begin: (name: Name) => Promise<Underway>;
  readonly backUp: (name: Name) => Promise<void>;
}

interface Underway {
  /** Gives it the rest, and waits until it has written its snapshot. */
  readonly end: () => Promise<void>;
}

/** restic stored `kept` and `gone`, and has forgotten `gone`. */
async function stage(dir: TempDir): Promise<Stage> {
  const at = await cheapRepository(dir.file('repository'));
  const begin = async (name: Name): Promise<Underway> => await beginBackup(await restic('0.19.1'), at, name);
  const backUp = async (name: Name): Promise<void> => {
    await (await begin(name)).end();
  };
  for (const name of ['kept', 'gone'] as const) await backUp(name);
  await resticOk('0.19.1', at, ['forget', '-q', '--unsafe-allow-remove-all', '--tag', 'gone']);
  return { at, begin, backUp, [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose]() };
}

/** It has taken more than a pipe holds, so it reads, and who reads has read the index. */
async function beginBackup(program: string, at: RepositoryAt, name: Name): Promise<Underway> {
  const env = { ...process.env, RESTIC_REPOSITORY: at.repository, RESTIC_PASSWORD: at.password };
  const args = ['--no-cache', 'backup', '-q', '--pack-size', '4', '--tag', name, '--stdin', '--stdin-filename', name];
  const child = spawn(program, args, { env, stdio: ['pipe', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  await taken(child, contents[name].subarray(0, 2 * mib));
  return {
    end: async () => {
      child.stdin?.end(contents[name].subarray(2 * mib));
      assert.deepEqual(await exited, [0, null], `${program} backs up ${name}`);
    },
  };
}

async function taken({ stdin }: ChildProcess, bytes: Uint8Array): Promise<void> {
  if (stdin?.write(bytes) === false) await once(stdin, 'drain', { signal: AbortSignal.timeout(60_000) });
}

/** restic finds no fault, and each of these snapshots holds what was backed up. */
async function assertWhole(at: RepositoryAt, names: readonly Name[]): Promise<void> {
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
  for (const name of names) {
    const { code, stdout } = await runRestic('0.19.1', at, ['dump', '--tag', name, 'latest', `/${name}`]);
    assert.equal(code, 0, name);
    assert.ok(stdout.equals(contents[name]), `${name} comes back byte for byte`);
  }
}

async function prunes(at: RepositoryAt): Promise<string> {
  return (await expectExit(0, 'holdfast', at, ['prune', '--deferred', '--max-unused', '0'])).stdout.toString();
}

/** As the command a day ago would have, so that what it drops may be deleted now. */
async function pruneADayAgo({ repository }: RepositoryAt): Promise<void> {
  const clock = new MovableClock();
  clock.skipHours(-25);
  await pruneAll(jobContext(await openLocal(repository), clock), { way: 'deferred' });
  const seconds = Number(clock.nowNs() / 1_000_000_000n);
  const folder = join(repository, pruneJournalFolder);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), seconds, seconds);
}

/** The rest of the way: once more a day later nothing is left over but what was dropped just now. */
async function assertFinishes(at: RepositoryAt, names: readonly Name[]): Promise<void> {
  await pruneADayAgo(at);
  await prunes(at);
  await assertWhole(at, names);
  const records = await recordsOf(at, ['prune', '--dry-run', '--instant', '--max-unused', '0']);
  const summary = records.find((record) => record['message_type'] === 'summary');
  assert.equal(Reflect.get(Object(summary?.['blobs']), 'unused'), 0);
}

async function recordsOf(at: RepositoryAt, args: readonly string[]): Promise<readonly JsonRecord[]> {
  return jsonLines((await expectExit(0, 'holdfast', at, ['--json', ...args])).stdout.toString());
}

test(
  'a restic backup begun before the mark and ended after it is whole, and so is what came later',
  { skip, timeout },
  async (context) => {
    await using on = await stage(await tempDir());
    const running = await on.begin('gone');
    assert.match(await prunes(on.at), /others are at work: the next prune goes on/);
    await running.end();
    await assertWhole(on.at, ['kept', 'gone']);
    assert.match(await prunes(on.at), /needed since: kept/);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, { claim: 'prune: a restic backup begun before the mark, ended after it', count: 'whole' });
  },
);

test('a restic backup between the mark and the drop keeps what it uses', { skip, timeout }, async (context) => {
  await using on = await stage(await tempDir());
  const running = await on.begin('other');
  await prunes(on.at);
  await on.backUp('gone');
  await running.end();
  await prunes(on.at);
  await assertFinishes(on.at, ['kept', 'gone', 'other']);
  prove(context, { claim: 'prune: a restic backup between the mark and the drop', count: 'whole' });
});

test(
  'a restic backup between the drop and the deletion stores anew what it needs',
  { skip, timeout },
  async (context) => {
    await using on = await stage(await tempDir());
    await pruneADayAgo(on.at);
    await on.backUp('gone');
    const output = await prunes(on.at);
    assert.match(output, /not needed for a day: deleted/);
    assert.doesNotMatch(output, /taken back/);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, { claim: 'prune: a restic backup between the drop and the deletion', count: 'whole' });
  },
);

test(
  'a restic prune between the mark and the drop, or the drop and the deletion, gets in nobody’s way',
  { skip, timeout },
  async (context) => {
    await using marked = await stage(await tempDir());
    const running = await marked.begin('other');
    await prunes(marked.at);
    await running.end();
    await resticOk('0.19.1', marked.at, ['prune', '--max-unused', '0']);
    await prunes(marked.at);
    await assertFinishes(marked.at, ['kept', 'other']);

    await using dropped = await stage(await tempDir());
    await pruneADayAgo(dropped.at);
    await resticOk('0.19.1', dropped.at, ['prune', '--max-unused', '0']);
    await prunes(dropped.at);
    await assertFinishes(dropped.at, ['kept']);
    prove(context, {
      claim: 'prune: a restic prune between the mark and the drop, and the drop and the deletion',
      count: 'whole, twice',
    });
  },
);

test(
  'restic’s repair of the index between the drop and the deletion takes the packs back',
  { skip, timeout },
  async (context) => {
    await using on = await stage(await tempDir());
    await pruneADayAgo(on.at);
    await resticOk('0.19.1', on.at, ['repair', 'index']);
    await on.backUp('gone');
    assert.match(await prunes(on.at), /kept/);
    await assertFinishes(on.at, ['kept', 'gone']);
    prove(context, {
      claim: 'prune: a restic repair index and backup between the drop and the deletion',
      count: 'whole',
    });
  },
);

test('a sweep waits for nobody: it is put off, exit code 3, and says so', { skip, timeout }, async () => {
  await using on = await stage(await tempDir());
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
    await using on = await stage(await tempDir());
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
    await using on = await stage(await tempDir());
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

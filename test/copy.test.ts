import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  globSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { silent } from '../src/events/events.ts';
import { lockRepository } from '../src/repository/lock.ts';
import { openRepository } from '../src/repository/open.ts';
import { openLocal } from '../src/storage/local.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { definedOf, servedHoldfast, servedOk, type RepositoryAt } from './support/holdfast.ts';
import type { RunOptions } from './support/run-program.ts';
import { jsonLines, type JsonRecord } from './support/scene.ts';
import { served } from './support/served.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository, expectExit, type Tool } from './support/two-tools.ts';

const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };

/** A repository with two snapshots of a folder, by restic: of host `one` tagged `kept`, and of host `two`. */
async function sourceIn(dir: TempDir, version: 1 | 2 = 2): Promise<RepositoryAt> {
  const source = await cheapRepository(dir.file('source'), version);
  mkdirSync(dir.file('data/sub'), { recursive: true });
  writeFileSync(dir.file('data/random'), randomBytes(3_000_000));
  writeFileSync(dir.file('data/text'), 'text '.repeat(400_000));
  for (let number = 0; number < 40; number += 1) writeFileSync(dir.file(`data/sub/${number}`), `small ${number}`);
  await resticOk('0.19.1', source, ['backup', '-q', dir.file('data'), '--host', 'one', '--tag', 'kept']);
  appendFileSync(dir.file('data/text'), 'more');
  await resticOk('0.19.1', source, ['backup', '-q', dir.file('data'), '--host', 'two']);
  return source;
}

function fromOf(source: RepositoryAt): RunOptions {
  return { env: { RESTIC_FROM_REPOSITORY: source.repository, RESTIC_FROM_PASSWORD: source.password } };
}

async function copied(
  tool: Tool,
  source: RepositoryAt,
  target: RepositoryAt,
  ...args: readonly string[]
): Promise<void> {
  await expectExit(0, tool, target, ['copy', ...args], fromOf(source));
}

async function snapshotsOf(at: RepositoryAt): Promise<readonly JsonRecord[]> {
  return jsonLines(await servedOk(at, ['snapshots', '--json']));
}

async function blobsOf(at: RepositoryAt): Promise<readonly string[]> {
  return (await servedOk(at, ['list', 'blobs'])).trim().split('\n').toSorted();
}

async function checked(at: RepositoryAt): Promise<void> {
  assert.match(await resticOk('0.19.1', at, ['check', '--read-data']), /no errors were found/);
  await servedOk(at, ['check', '--read-data']);
}

test('what Holdfast copies, restic finds, and the other way round', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir);
  for (const [first, second] of [
    ['holdfast', 'restic'],
    ['restic', 'holdfast'],
  ] as const) {
    const target = await cheapRepository(dir.file(`by ${first}`));
    await copied(first, source, target);
    const snapshots = await snapshotsOf(target);
    assert.equal(snapshots.length, 2);
    await copied(second, source, target);
    assert.deepEqual(await snapshotsOf(target), snapshots, `${second} copies nothing that ${first} copied`);
    assert.deepEqual(await blobsOf(target), await blobsOf(source), 'the same blobs, each once');
    await checked(target);
  }
});

test(
  'a copy keeps what a snapshot says, but its parent, and names the first one as its original',
  options,
  async () => {
    await using dir = await tempDir();
    const source = await sourceIn(dir);
    await resticOk('0.19.1', source, ['backup', '-q', dir.file('data'), '--host', 'two']);
    const [middle, last] = [await cheapRepository(dir.file('middle')), await cheapRepository(dir.file('last'))];
    await copied('holdfast', source, middle);
    await copied('holdfast', middle, last);
    const first = await snapshotsOf(source);
    assert.ok(first.some(({ parent }) => parent !== undefined));
    for (const at of [middle, last]) {
      const copies = await snapshotsOf(at);
      for (const [number, copy] of copies.entries()) {
        const { id, short_id: _short, parent: _parent, ...facts } = first[number] ?? {};
        const { id: own, short_id: _ownShort, ...ownFacts } = copy;
        assert.deepEqual(ownFacts, { ...facts, original: id });
        assert.notEqual(own, id);
      }
    }
  },
);

test('formats 1 and 2 are copied into each other, compressed where the target compresses', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir, 1);
  const [compressed, plain] = [await cheapRepository(dir.file('2')), await cheapRepository(dir.file('1'), 1)];
  await copied('holdfast', source, compressed);
  await copied('holdfast', compressed, plain);
  const [before = 0, small = 0, after = 0] = await Promise.all([source, compressed, plain].map(sizeOf));
  assert.ok(small < before - 1_500_000, `${small} of ${before} bytes: the text is compressed`);
  assert.equal(after, before);
  for (const at of [compressed, plain]) await checked(at);
});

/** Of all blobs. */
async function sizeOf(at: RepositoryAt): Promise<number> {
  const [stats] = jsonLines(await servedOk(at, ['stats', '--mode', 'raw-data', '--json']));
  return Number(stats?.['total_size']);
}

test('--compression says how copied blobs are stored where it isn’t auto', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir);
  const sizes: number[] = [];
  for (const compression of ['off', 'auto', 'max']) {
    const target = await cheapRepository(dir.file(compression));
    await copied('holdfast', source, target, '--compression', compression);
    await checked(target);
    sizes.push(await sizeOf(target));
  }
  const [off = 0, auto = 0, max = 0] = sizes;
  assert.ok(Math.min(off - auto, off - max) > 1_500_000, JSON.stringify(sizes));
});

test('host, tag, path, latest and an ID choose what is copied', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir);
  const [one = '', two = ''] = (await snapshotsOf(source)).map(({ id }) => String(id));
  const choices: readonly (readonly [args: readonly string[], wanted: readonly string[]])[] = [
    [['--host', 'one'], [one]],
    [['--tag', 'kept'], [one]],
    [
      ['--path', dir.file('data')],
      [one, two],
    ],
    [['--path', '/elsewhere'], []],
    [['latest'], [two]],
    [['--host', 'one', 'latest'], [one]],
    [[one.slice(0, 10)], [one]],
  ];
  for (const [number, [args, wanted]] of choices.entries()) {
    for (const tool of ['holdfast', 'restic'] as const) {
      const target = await cheapRepository(dir.file(`${tool} ${number}`));
      await copied(tool, source, target, ...args);
      const originals = (await snapshotsOf(target)).map(({ original }) => String(original));
      assert.deepEqual(originals, wanted, `${tool} ${args.join(' ')}`);
    }
  }
  const target = await cheapRepository(dir.file('none'));
  await expectExit(1, 'holdfast', target, ['copy', 'ffffffff'], fromOf(source));
});

test('a dry run shows what a copy does, and changes nothing', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir);
  const target = await cheapRepository(dir.file('target'));
  const summaryOf = async (...args: readonly string[]): Promise<JsonRecord> => {
    const output = await servedOk(target, ['--json', 'copy', ...args], fromOf(source));
    return jsonLines(output).findLast((one) => one['message_type'] === 'summary') ?? {};
  };
  const planned = await summaryOf('--dry-run');
  assert.deepEqual(await snapshotsOf(target), []);
  assert.equal(await servedOk(target, ['list', 'packs']), '');
  const done = await summaryOf();
  const { snapshots_to_copy, blobs_to_copy, bytes_to_copy, packs_to_read } = done;
  for (const [name, value] of Object.entries({ snapshots_to_copy, blobs_to_copy, bytes_to_copy, packs_to_read })) {
    assert.equal(planned[name], value, name);
  }
  assert.equal(done['snapshots_copied'], planned['snapshots_to_copy']);
  assert.equal(done['blobs_stored'], planned['blobs_to_copy']);
  assert.equal((await summaryOf('--dry-run'))['snapshots_skipped'], 2);
});

test(
  'a snapshot of which the source has lost a part is named and left out; the others are copied',
  options,
  async () => {
    await using dir = await tempDir();
    const source = await sourceIn(dir);
    const largest = largestPack(source);
    rmSync(dir.file('data'), { recursive: true });
    mkdirSync(dir.file('data'));
    writeFileSync(dir.file('data/other'), randomBytes(10_000));
    await servedOk(source, ['backup', '-q', dir.file('data'), '--host', 'three', '--force']);
    for (const damage of ['torn', 'gone'] as const) {
      if (damage === 'torn') truncateSync(largest, 1000);
      else rmSync(largest);
      const target = await cheapRepository(dir.file(damage));
      const result = await expectExit(3, 'holdfast', target, ['--json', 'copy'], fromOf(source));
      const summary = jsonLines(result.stdout.toString()).findLast((one) => one['message_type'] === 'summary');
      assert.equal(summary?.['snapshots_copied'], 1);
      assert.equal(summary?.['snapshots_not_whole'], 2);
      assert.ok(JSON.stringify(summary?.['lost']).includes('/data/random'));
      assert.deepEqual(
        (await snapshotsOf(target)).map(({ hostname }) => hostname),
        ['three'],
      );
      await checked(target);
    }
  },
);

function largestPack({ repository }: RepositoryAt): string {
  const files = globSync(`${repository}/data/*/*`);
  return files.toSorted((a, b) => statSync(b).size - statSync(a).size)[0] ?? '';
}

test('each repository is opened with its own password, from wherever that comes, and has its own cache', async () => {
  await using dir = await tempDir();
  const [source, target] = [dir.file('source'), dir.file('target')];
  const from = ['--from-repo', source];
  const run = async (args: readonly string[], env: RunOptions['env'] = {}): Promise<number | null> => {
    const unset = { RESTIC_REPOSITORY: target, RESTIC_PASSWORD: 'two', RESTIC_FROM_PASSWORD: undefined };
    const cache = ['--cache-dir', dir.file('cache')];
    const all = definedOf({ ...process.env, ...unset, ...env });
    return (await served({ args: [...cache, ...args], env: all, cwd: dir.path })).code;
  };
  writeFileSync(dir.file('one'), 'one\n');
  writeFileSync(dir.file('address'), `${source}\n`);
  await cheapRepository(source, 2, 'one');
  await cheapRepository(target, 2, 'two');
  writeFileSync(dir.file('file'), 'content');
  await run(['-r', source, 'backup', dir.file('file')], { RESTIC_PASSWORD: 'one' });
  const ways: readonly (readonly [args: readonly string[], env: RunOptions['env']])[] = [
    [[...from, '--from-password-file', dir.file('one')], {}],
    [[...from, '--from-password-command', `cat ${dir.file('one')}`], {}],
    [from, { RESTIC_FROM_PASSWORD: 'one' }],
    [from, { RESTIC_FROM_PASSWORD_FILE: dir.file('one') }],
    [[], { RESTIC_FROM_REPOSITORY: source, RESTIC_FROM_PASSWORD_COMMAND: `cat ${dir.file('one')}` }],
    [['--from-repository-file', dir.file('address')], { RESTIC_FROM_PASSWORD: 'one' }],
    [[], { RESTIC_FROM_REPOSITORY_FILE: dir.file('address'), RESTIC_FROM_PASSWORD: 'one' }],
    [[...from, '--from-password-file', dir.file('one')], { RESTIC_FROM_PASSWORD: 'wrong' }],
  ];
  for (const [args, env] of ways) assert.equal(await run(['copy', ...args], env), 0, args.join(' '));
  assert.equal(readdirSync(dir.file('cache/holdfast')).filter((name) => /^[0-9a-f]{64}$/.test(name)).length, 2);
  assert.equal(await run(['copy', ...from], { RESTIC_FROM_PASSWORD: 'two' }), 12, 'not the target’s password');
  assert.equal(await run(['copy', ...from, '--from-insecure-no-password']), 12);
  assert.equal(await run(['copy'], { RESTIC_FROM_PASSWORD: 'one' }), 2, 'no source is named');
  assert.equal(await run(['copy', '--from-repo', dir.file('none')], { RESTIC_FROM_PASSWORD: 'one' }), 10);
});

test('a copy works beside backups into either repository, and waits for who must stand alone', options, async () => {
  await using dir = await tempDir();
  const source = await sourceIn(dir);
  const target = await cheapRepository(dir.file('target'));
  for (const at of [source, target]) {
    {
      await using _backup = await lockOf(at, 'shared');
      await copied('holdfast', source, target);
    }
    await using _prune = await lockOf(at, 'exclusive');
    await expectExit(11, 'holdfast', target, ['copy'], fromOf(source));
    const unlocked = await servedHoldfast(target, ['copy', '--no-lock'], fromOf(source));
    assert.equal(unlocked.code, at === source ? 0 : 11, 'only the source goes without a lock');
  }
});

async function lockOf(at: RepositoryAt, mode: 'shared' | 'exclusive'): Promise<AsyncDisposable> {
  const storage = await openLocal(at.repository);
  const repository = await openRepository({ storage, clock: systemClock, password: at.password });
  const holder = { hostname: 'another', username: 'bob', pid: 1, uid: 0, gid: 0 };
  const { signal } = new AbortController();
  return await lockRepository(repository, { mode, holder, clock: systemClock, retryMs: 0, signal, listener: silent });
}

test(
  'init takes over how another repository cuts files; a target that cuts otherwise is warned of',
  options,
  async () => {
    await using dir = await tempDir();
    const source = await sourceIn(dir);
    const at = (name: string): RepositoryAt => ({ repository: dir.file(name), password: 'target' });
    const polynomialOf = async (target: RepositoryAt): Promise<unknown> =>
      / "chunker_polynomial": "(\w+)"/.exec(await servedOk(target, ['cat', 'config']))?.[1];
    for (const tool of ['holdfast', 'restic'] as const) {
      await expectExit(0, tool, at(tool), ['init', '--copy-chunker-params'], fromOf(source));
      assert.equal(await polynomialOf(at(tool)), await polynomialOf(source));
      const { stderr } = await expectExit(0, 'holdfast', at(tool), ['copy'], fromOf(source));
      assert.equal(stderr, '');
      const stored = await blobsOf(at(tool));
      await servedOk(at(tool), ['backup', '-q', dir.file('data'), '--host', 'two']);
      const added = (await blobsOf(at(tool))).filter((blob) => !stored.includes(blob));
      assert.deepEqual(
        added.filter((blob) => blob.startsWith('data')),
        [],
        'its own backup finds the copied blobs',
      );
    }
    await servedOk(at('other'), ['init']);
    assert.notEqual(await polynomialOf(at('other')), await polynomialOf(source));
    const { stderr } = await expectExit(0, 'holdfast', at('other'), ['copy'], fromOf(source));
    assert.match(stderr, /cuts files at other places/);
    const named = ['init', '--from-repo', source.repository];
    await expectExit(2, 'holdfast', at('never'), named, fromOf(source));
  },
);

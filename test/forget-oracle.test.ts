import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { goTime } from '../src/bytes/go-time.ts';
import { parseBlobId } from '../src/bytes/ids.ts';
import { systemClock } from '../src/clock/clock.ts';
import { zoneOf } from '../src/clock/zone.ts';
import { fileIdFor } from '../src/crypto/id.ts';
import { makeKeyFile, randomMasterKey } from '../src/crypto/key.ts';
import { seal } from '../src/crypto/seal.ts';
import { hasCode } from '../src/errors/error.ts';
import { formatDuration, type Duration } from '../src/retention/duration.ts';
import { parseGroupBy } from '../src/retention/group.ts';
import type { DatedSnapshot, KeepCount, KeepPolicy, TagList } from '../src/retention/keep.ts';
import { planForget } from '../src/retention/plan.ts';
import { encodeSnapshot } from '../src/snapshot/snapshot.ts';
import { openLocal } from '../src/storage/local.ts';
import { budget } from './budget.ts';
import { resticOk, runRestic, withoutRestic, type ResticRepository } from './servers/restic.ts';
import { tempDir } from './support/temp-dir.ts';

const policiesPerHistory = 4;
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'].filter(
  (name) => name === 'UTC' || existsSync(`/usr/share/zoneinfo/${name}`),
);

/** Seconds between two snapshots: seconds up to months, and exact days so that limits are met to the nanosecond. */
const anyGap = fc.oneof(
  fc.integer({ min: 1, max: 4000 }),
  fc.integer({ min: 3600, max: 90_000 }),
  fc.constantFrom(3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400),
  fc.integer({ min: 86_400, max: 90 * 86_400 }),
);

const anySnapshot = fc.record({
  gap: anyGap,
  zone: fc.constantFrom('UTC', 'UTC', '+02:00', '-05:00', '+13:45', ...zones),
  hostname: fc.constantFrom<string>('alpha', 'alpha', 'beta'),
  paths: fc.constantFrom<readonly string[]>(['/srv'], ['/srv', '/home'], ['/home', '/srv']),
  tags: fc.shuffledSubarray(['one', 'two', 'three']),
});

/** The newest may lie in the future. */
const anyHistory = fc.record({
  aheadSeconds: fc.constantFrom(-60, -86_400, -86_400, 40 * 86_400),
  steps: fc.array(anySnapshot, { minLength: 5, maxLength: 50 }),
});

const anyCount: fc.Arbitrary<KeepCount> = fc.oneof(fc.nat(6), fc.nat(6), fc.constant('unlimited' as const));
const anyDuration: fc.Arbitrary<Duration> = fc.record({
  years: fc.constantFrom(0, 0, 1, 3, 9999),
  months: fc.constantFrom(0, 0, 1, 5, 14),
  days: fc.constantFrom(0, 1, 7, 30, 90),
  hours: fc.constantFrom(0, 0, 1, 36),
});

function someOf<T>(names: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Partial<Record<string, T>>> {
  return fc
    .subarray([...names], { maxLength: 3 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, value]))));
}

const resticPeriods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
const anyTagList: fc.Arbitrary<TagList> = fc.constantFrom(['one'], ['two', 'one'], ['three'], [''], ['none-has-it']);

const anyForget = fc.record({
  zone: fc.constantFrom(...zones),
  groupBy: fc.constantFrom('host,paths', '', 'host', 'paths', 'tags', 'host,paths,tags'),
  policy: fc.record({
    counts: someOf(['last', ...resticPeriods], anyCount),
    withinEach: fc.oneof(fc.constant({}), someOf(resticPeriods, anyDuration)),
    within: fc.oneof(fc.constant(undefined), fc.constant(undefined), anyDuration),
    tags: fc.oneof(fc.constant([]), fc.array(anyTagList, { maxLength: 2 })),
  }),
});

interface Forget {
  readonly zone: string;
  readonly groupBy: string;
  readonly policy: KeepPolicy;
}

/** A repository without data: forget reads snapshots alone. Its key is cheap, so that restic starts fast. */
async function createRepository(
  path: string,
): Promise<{ at: ResticRepository; add: (plaintext: Uint8Array) => Promise<string> }> {
  const storage = await openLocal(path, { create: true });
  const master = randomMasterKey();
  const key = await makeKeyFile({
    password: 'secret',
    params: { N: 16, r: 8, p: 1 },
    master,
    created: '2024-01-01T00:00:00Z',
    username: 'test',
    hostname: 'test',
  });
  await storage.put(`keys/${fileIdFor(key)}`, [key]);
  const config = { version: 2, id: 'ab'.repeat(32), chunker_polynomial: '3da3358b4dc173' };
  await storage.put('config', [seal(master, Buffer.from(JSON.stringify(config)))]);
  const add = async (plaintext: Uint8Array): Promise<string> => {
    const sealed = seal(master, plaintext);
    const id = fileIdFor(sealed);
    await storage.put(`snapshots/${id}`, [sealed]);
    return id;
  };
  return { at: { repository: path, password: 'secret' }, add };
}

type History = typeof anyHistory extends fc.Arbitrary<infer T> ? T : never;

async function addHistory(
  history: History,
  add: (plaintext: Uint8Array) => Promise<string>,
): Promise<readonly DatedSnapshot[]> {
  const snapshots: DatedSnapshot[] = [];
  let timeNs = systemClock.nowNs() + BigInt(history.aheadSeconds) * 1_000_000_000n;
  for (const { gap, zone, hostname, paths, tags } of history.steps) {
    timeNs -= BigInt(gap) * 1_000_000_000n;
    const time = goTime(timeNs, zoneOf(zone));
    const fields = { username: 'u', uid: 0, gid: 0, excludes: [], programVersion: '', others: {} };
    const tree = parseBlobId('0'.repeat(64));
    const id = await add(encodeSnapshot({ ...fields, time, tree, hostname, paths, tags }));
    snapshots.push({ id, time, timeNs, hostname, paths, tags });
  }
  return snapshots;
}

function argumentsOf({ groupBy, policy }: Forget): readonly string[] {
  return [
    ...['forget', '--dry-run', '--json', '--no-lock', `--group-by=${groupBy}`],
    ...Object.entries(policy.counts).map(([period, count]) => `--keep-${period}=${count}`),
    ...(policy.within ? [`--keep-within=${formatDuration(policy.within)}`] : []),
    ...Object.entries(policy.withinEach).map(
      ([period, duration]) => `--keep-within-${period}=${formatDuration(duration)}`,
    ),
    ...policy.tags.map((list) => `--keep-tag=${list.join(',')}`),
  ];
}

/** One line for each group, snapshot and reason, sorted; or that the policy was refused. */
type Verdict = readonly string[] | 'refused';

interface ResticGroup {
  readonly tags: unknown;
  readonly host: unknown;
  readonly paths: unknown;
  readonly keep: readonly { readonly id: string }[] | null;
  readonly remove: readonly { readonly id: string }[] | null;
  readonly reasons:
    | readonly { readonly snapshot: { readonly id: string }; readonly matches: readonly string[] }[]
    | null;
}

async function resticVerdict(at: ResticRepository, forget: Forget): Promise<Verdict> {
  const { code, stdout, stderr } = await runRestic('0.19.1', at, argumentsOf(forget), { env: { TZ: forget.zone } });
  if (code === 1 && /refusing to delete last snapshot|no policy was specified/.test(stderr + stdout.toString()))
    return 'refused';
  assert.equal(code, 0, stderr);
  const groups = JSON.parse(stdout.toString()) as readonly ResticGroup[];
  return groups
    .flatMap(({ tags, host, paths, ...lists }) =>
      lines(
        { tags, hostname: host, paths },
        {
          keep: lists.keep ?? [],
          remove: lists.remove ?? [],
          reasons: lists.reasons ?? [],
        },
      ),
    )
    .toSorted();
}

function ourVerdict(snapshots: readonly DatedSnapshot[], { policy, groupBy, zone }: Forget): Verdict {
  try {
    const now = { nowNs: systemClock.nowNs(), zone: zoneOf(zone) };
    const groups = planForget(snapshots, { policy, groupBy: parseGroupBy(groupBy), ...now });
    return groups.flatMap(({ key, ...lists }) => lines(key, lists)).toSorted();
  } catch (error) {
    if (hasCode(error, 'refused')) return 'refused';
    throw error;
  }
}

interface Lists {
  readonly keep: readonly { readonly id: string }[];
  readonly remove: readonly { readonly id: string }[];
  readonly reasons: readonly { readonly snapshot: { readonly id: string }; readonly matches: readonly string[] }[];
}

function lines(
  key: { readonly tags: unknown; readonly hostname: unknown; readonly paths: unknown },
  lists: Lists,
): readonly string[] {
  const group = JSON.stringify([key.tags, key.hostname, key.paths]);
  return [
    ...lists.keep.map(({ id }, n) => `${group} keeps ${n}: ${id}`),
    ...lists.remove.map(({ id }, n) => `${group} removes ${n}: ${id}`),
    ...lists.reasons.map(({ snapshot: { id }, matches }) => `${group} ${id} because ${JSON.stringify(matches)}`),
  ];
}

test(
  'forget keeps and removes what restic keeps and removes, for the same reasons',
  { skip: withoutRestic('0.19.1') },
  async () => {
    let compared = 0;
    let refused = 0;
    const compare = async (history: History, forgets: readonly Forget[]): Promise<void> => {
      await using dir = await tempDir();
      const { at, add } = await createRepository(dir.file('repository'));
      const snapshots = await addHistory(history, add);
      for (const forget of forgets) {
        const verdict = await resticVerdict(at, forget);
        assert.deepEqual(ourVerdict(snapshots, forget), verdict, argumentsOf(forget).join(' '));
        compared++;
        if (verdict === 'refused') refused++;
      }
    };
    const forgets = fc.array(anyForget, { minLength: policiesPerHistory, maxLength: policiesPerHistory });
    await fc.assert(fc.asyncProperty(anyHistory, forgets, compare), {
      numRuns: budget.programRuns,
      endOnFailure: true,
    });
    assert.ok(compared >= budget.programRuns * policiesPerHistory);
    assert.ok(refused < compared / 2, `${refused} of ${compared} policies were refused`);
  },
);

test('a forget of restic removes exactly what was planned', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  const { at, add } = await createRepository(dir.file('repository'));
  const step = { zone: 'UTC', hostname: 'alpha', paths: ['/srv'], tags: [], gap: 86_400 };
  const snapshots = await addHistory({ aheadSeconds: -60, steps: Array.from({ length: 20 }, () => step) }, add);
  const policy: KeepPolicy = { counts: { daily: 3, weekly: 2 }, withinEach: {}, tags: [] };
  const now = { nowNs: systemClock.nowNs(), zone: zoneOf('UTC') };
  const [planned] = planForget(snapshots, { policy, groupBy: parseGroupBy('host'), ...now });
  await resticOk('0.19.1', at, ['forget', '--group-by=host', '--keep-daily=3', '--keep-weekly=2']);
  const left = JSON.parse(await resticOk('0.19.1', at, ['snapshots', '--json'])) as readonly { readonly id: string }[];
  assert.deepEqual(left.map(({ id }) => id).toSorted(), planned?.keep.map(({ id }) => id).toSorted());
});

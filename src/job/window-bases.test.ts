import assert from 'node:assert/strict';
import { test } from 'node:test';
import { componentContextOver } from '../../test/support/component-context.ts';
import { MovableClock } from '../../test/support/movable-clock.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import type { BlobId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { extentText } from '../log/names.ts';
import { openLog } from '../log/store.ts';
import { loadPolicy } from '../policy/load.ts';
import { saveSnapshot } from '../snapshot/snapshots.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { basesForWindows } from './window-bases.ts';

const [dayNs, size] = [86_400_000_000_000n, 0x100_0000n];
/** Day 0. */
const begunNs = 20_000n * dayNs;
const stream = '7';
const tree = 'a'.repeat(64) as BlobId;

/** Backups of `near`, one a day, of days 1 to 6; the log of these days, in `logs` alone or in near. */
async function scene(dir: string, log: string) {
  const [near, logs, warnings] = [new MemoryStorage(), new MemoryStorage(), new Array<string>()];
  const [repository, other] = [await newRepository(near), await newRepository(logs)];
  const store = openLog(log.includes('near') ? repository : other, { component: 'shop-db', stream });
  const ids: string[] = [];
  for (let day = 1n; day <= 6n; day++) {
    const extent = { epoch: 1, from: day * size, to: (day + 1n) * size };
    await store.put(extent, Buffer.alloc(16), { facts: {} });
    const at = { ...extent, from: extent.from + 10n, to: extent.from + 20n };
    const tags = ['hf.component=shop-db', 'hf.rule=full', `hf.log=${extentText({ stream }, at)}`];
    const time = Temporal.Instant.fromEpochNanoseconds(begunNs + day * dayNs).toString();
    const facts = {
      hostname: 'here',
      username: 'ann',
      uid: 0,
      gid: 0,
      excludes: [],
      programVersion: 'test',
      others: {},
    };
    ids.push(await saveSnapshot(repository, { ...facts, time, tree, paths: ['/shop-db'], tags }));
  }
  const { policy } = loadPolicy(`version: 1
repositories:
  near: { url: /near, password: { env: P } }
  logs: { url: /logs, password: { env: P } }
components:
  shop-db:
    postgres: { url: { env: U } }
    backups: { full: { at: "02:00", to: { near: { keep: { last: 1 } } } } }
    log: { mode: stream, to: { ${log} } }
`);
  const { components } = policy ?? assert.fail();
  const component = components['shop-db'] ?? assert.fail();
  let isAway = false;
  const context = componentContextOver(
    {
      policy: policy ?? assert.fail(),
      storageOf: (name) => {
        if (name === 'logs' && isAway) throw new HoldfastError('storage-timeout', 'logs is away');
        return name === 'near' ? near : logs;
      },
      clock: new MovableClock(),
      stateFolder: dir,
    },
    { listener: (event) => (event.kind === 'warning' ? void warnings.push(event.message) : undefined) },
  );
  const kept = async (
    nowNs: bigint | undefined,
    badDays: readonly number[] = [],
  ): Promise<readonly (readonly [number, string])[]> => {
    const bad = new Set(badDays.map((day) => ids[day - 1] ?? assert.fail()));
    const asked = { of: { name: 'shop-db', component }, repository: 'near', nowNs: nowNs && begunNs + nowNs, bad };
    const found = await basesForWindows(context, asked, repository);
    return ids.flatMap((id, index) => {
      const reason = [...found].find(([one]) => one === id)?.[1];
      return reason === undefined ? [] : [[index + 1, reason] as const];
    });
  };
  return { kept, warnings, leave: () => void (isAway = true) };
}

test('a repository keeps what the window of a log beside it needs, or of one that has no backups of its own', async () => {
  await using dir = await tempDir();
  const now = 6n * dayNs + dayNs / 2n;
  const days = async (log: string): Promise<readonly number[]> =>
    (await (await scene(dir.path, log)).kept(now)).map(([day]) => day);
  assert.deepEqual(await days('near: { window: 2d }'), [4, 5, 6]);
  assert.deepEqual(await days('logs: { window: 2d }'), [4, 5, 6]);
  const { kept, leave, warnings } = await scene(dir.path, 'logs: { window: 2d }');
  assert.deepEqual((await kept(now))[0], [4, 'needed by the log’s window of 2d in logs']);
  assert.deepEqual(
    (await kept(undefined)).map(([day]) => day),
    [1, 2, 3, 4, 5, 6],
    'a time that isn’t sure ends no window',
  );
  leave();
  const all = await kept(now);
  assert.deepEqual(
    [all.length, all[0]?.[1]],
    [6, 'needed by the log’s window, as far as is known: logs can’t be asked'],
  );
  assert.match(warnings.join('\n'), /all backups stay that its log in logs may need: .*away/);
});

test('a window rests on no backup that was found wrong, but where there is no other', async () => {
  await using dir = await tempDir();
  const { kept } = await scene(dir.path, 'near: { window: 2d }');
  const days = async (bad: readonly number[]): Promise<readonly number[]> =>
    (await kept(6n * dayNs + dayNs / 2n, bad)).map(([day]) => day);
  assert.deepEqual(await days([4]), [3, 5, 6]);
  assert.deepEqual(await days([3, 4, 6]), [2, 5]);
  assert.deepEqual(await days([1, 2, 3, 4, 5, 6]), [4, 5, 6]);
});

test('what was found wrong stays as long as no sound backup leads to the same moments of the window', async () => {
  await using dir = await tempDir();
  const { kept } = await scene(dir.path, 'near: { window: 2d }');
  const days = async (bad: readonly number[]): Promise<readonly number[]> =>
    (await kept(6n * dayNs + dayNs / 2n, bad)).map(([day]) => day);
  assert.deepEqual(
    await days([1, 2, 3, 4, 5]),
    [4, 5, 6],
    'each night’s is wrong, and nobody has looked at the last yet',
  );
  assert.deepEqual(await days([1, 2, 3, 4]), [4, 5, 6]);
});

import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { runProgram } from '../../../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import type { LogFeed } from '../../recovery.ts';
import { Feeder } from './feeder.ts';
import { fetchScript } from './fetch-script.ts';

const segmentBytes = 1024 * 1024;
const size = BigInt(segmentBytes);
const bytesOf = (number: bigint): Buffer => Buffer.alloc(segmentBytes, `segment ${number} `);
const name = (number: number): string => `000000010000000000${number.toString(16).padStart(6, '0').toUpperCase()}`;

/** Of the first timeline, segments 1 to `count`; what lies beyond is held by nobody. */
function feedOf(count: number, asked: bigint[] = []): LogFeed {
  const numbers = Array.from({ length: count }, (_, index) => BigInt(index + 1));
  return {
    order: numbers.map((number) => ({ epoch: 1, from: number * size, to: (number + 1n) * size })),
    segment: async () => assert.fail('a segment is handed over as a file'),
    segmentInto: async (_epoch, from, path) => {
      asked.push(from / size);
      if (!numbers.includes(from / size)) return undefined;
      await writeFile(path, bytesOf(from / size));
      return segmentBytes;
    },
    history: async (epoch) => (epoch === 2 ? Buffer.from('1\t0/4\tno reason\n') : undefined),
  };
}

interface Fed {
  /** As the server asks for it; the exit code, and what came. */
  readonly ask: (wanted: string, alive?: string) => Promise<{ readonly code: number | null; readonly bytes: string }>;
  readonly end: () => Promise<void>;
}

async function fed(dir: TempDir, feed: LogFeed): Promise<Fed> {
  const spool = dir.file('spool');
  using own = ForeignFolder.open(dir.path);
  const feeder = new Feeder({ own, feed, segmentBytes, owner: undefined, clock: systemClock });
  await writeFile(dir.file('fetch'), fetchScript);
  await chmod(dir.file('fetch'), 0o700);
  const until = new AbortController();
  const running = feeder.run(until.signal);
  running.catch(() => undefined); // heard at its end
  const ask: Fed['ask'] = async (wanted, alive = spool) => {
    const { code } = await runProgram('/bin/sh', [dir.file('fetch'), spool, alive, wanted, dir.file('taken')]);
    const bytes = code === 0 ? await readFile(dir.file('taken'), 'latin1') : '';
    return { code, bytes };
  };
  const end = async (): Promise<void> => {
    until.abort();
    await running.finally(() => feeder[Symbol.dispose]());
  };
  return { ask, end };
}

test('files of the log are handed over in the order of the replay, read ahead, and again when they are asked for again', async () => {
  await using dir = await tempDir();
  const asked: bigint[] = [];
  const { ask, end } = await fed(dir, feedOf(5, asked));
  for (const number of [1, 2, 3, 4, 5, 4]) {
    const { code, bytes } = await ask(name(number));
    assert.deepEqual([code, bytes], [0, bytesOf(BigInt(number)).toString('latin1')]);
  }
  assert.equal((await ask('00000002.history')).bytes, '1\t0/4\tno reason\n');
  await end();
  assert.equal(new Set(asked).size, 5);
});

test('only what nobody holds for certain is the end of the log', async () => {
  await using dir = await tempDir();
  const { ask, end } = await fed(dir, feedOf(2));
  for (const absent of [name(9), '00000003.history', '000000010000000000000001.partial', 'anything'])
    assert.equal((await ask(absent)).code, 1, absent);
  assert.equal((await ask(name(1))).code, 0, 'what was absent is asked anew');
  await end();
});

test('where a file can’t be had, or is of another size, the server is stopped, and the reason is kept', async () => {
  const broken: readonly (readonly [LogFeed['segmentInto'], RegExp])[] = [
    [async () => await Promise.reject(new HoldfastError('storage-timeout', 'nobody answers')), /nobody answers/],
    [async () => 7, /has 7 bytes/],
  ];
  for (const [segmentInto, reason] of broken) {
    await using dir = await tempDir();
    const { ask, end } = await fed(dir, { ...feedOf(0), segmentInto });
    assert.equal((await ask(name(1))).code, 200);
    await assert.rejects(end(), reason);
  }
});

test('files that can’t be had at the same moment stop the server once, by what failed first', async () => {
  await using dir = await tempDir();
  let count = 0;
  const segmentInto = async (): Promise<never> =>
    await Promise.reject(new HoldfastError('damaged', `fault ${++count}`));
  const { ask, end } = await fed(dir, { ...feedOf(4), segmentInto });
  assert.equal((await ask(name(1))).code, 200);
  await assert.rejects(end(), /fault 1$/);
  assert.ok(count > 1, 'they were asked for together');
});

test('a replay that is begun again knows nothing of what stopped the one before', async () => {
  await using dir = await tempDir();
  const gone: LogFeed['segmentInto'] = async () =>
    await Promise.reject(new HoldfastError('storage-timeout', 'nobody answers'));
  const before = await fed(dir, { ...feedOf(0), segmentInto: gone });
  assert.equal((await before.ask(name(1))).code, 200);
  await assert.rejects(before.end());
  const again = await fed(dir, feedOf(1));
  assert.equal((await again.ask(name(1))).code, 0);
  assert.equal((await again.ask('00000003.history')).code, 1);
  await again.end();
});

test('nobody waits for a parent that is gone', async () => {
  await using dir = await tempDir();
  const { ask, end } = await fed(dir, feedOf(1));
  await end();
  assert.equal((await ask(name(7), join(dir.path, 'gone'))).code, 200);
});

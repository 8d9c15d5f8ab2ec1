import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { serverFacts } from '../../../../test/support/server-facts.ts';
import { SteppedClock } from '../../../../test/support/stepped-clock.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock, type Clock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import { startProgram } from '../../../host/process.ts';
import type { Dumping } from './back-up.ts';
import { dumpDirectory } from './directory.ts';
import { logicalOptions } from './options.ts';
import { proven } from './proven.ts';
import { unstalled } from './unstalled.ts';

const speed = 36_000;
/** Two hours pass as soon as somebody waits for them. */
const hurried: Clock = {
  ...systemClock,
  monotonicMs: () => systemClock.monotonicMs() * speed,
  sleep: async (ms, signal) => await systemClock.sleep(ms / speed, signal),
};

const givenUp = { code: 'source-failed', message: /^pg_dump has written nothing for 120 minutes: it is given up$/ };

const start = async (script: string, input: 'empty' | 'piped', signal: AbortSignal) =>
  await startProgram('sh', { args: ['-c', script], clock: systemClock, signal, input, interrupts: 'own-session' });

test('a pg_dump that stalls is given up by name', async () => {
  const { signal } = new AbortController();
  await using dump = await start('printf one; exec sleep 600', 'empty', signal);
  await using reader = await start('cat > /dev/null', 'piped', signal);
  await assert.rejects(Array.fromAsync(proven(dump, reader, { signal, clock: hurried })), givenUp);
});

test('what is slow is not given up, however long it takes in all', async () => {
  const clock = new SteppedClock();
  const { signal } = new AbortController();
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    for (const text of ['one', 'two', 'three']) {
      clock.pass(119 * 60_000);
      yield Buffer.from(text);
    }
  };
  const chunks = await Array.fromAsync(unstalled('pg_dump', slow(), { clock, signal, mostMs: 120 * 60_000 }));
  assert.equal(Buffer.concat(chunks).toString(), 'onetwothree');
});

test('a pg_dump whose folder grows no more is given up by name, and leaves no spool', async () => {
  await using dir = await tempDir();
  const { signal } = new AbortController();
  const script = `for one in "$@"; do target=\${one#--file=}; done; mkdir "$target"; printf one > "$target/toc.dat"; exec sleep 600`;
  const dumping: Dumping = {
    client: {
      where: 'here',
      isHere: true,
      start: async (_program, args, own) =>
        await startProgram('sh', {
          ...own,
          args: ['-c', script, 'pg_dump', ...args],
          clock: systemClock,
          interrupts: 'own-session',
          kills: 'session',
        }),
    },
    options: {
      url: 'postgres://nobody@127.0.0.1:1/shop',
      component: 'shop-db',
      clock: hurried,
      programs: [],
      logical: logicalOptions.parse({ format: 'directory', spool: dir.path }),
    },
    walk: { store: async () => assert.fail('there is nothing to store'), signal, listener: silent },
    role: 'primary',
    server: serverFacts,
  };
  await assert.rejects(dumpDirectory(dumping, 'shop'), givenUp);
  assert.deepEqual(await readdir(dir.file(`holdfast-dumps-${process.getuid?.()}`)), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../clock/clock.ts';
import { nameStalls } from './name-stalls.ts';
import { ServerWords } from './server-words.ts';

/** A second passes with each look. */
function secondsClock(onSecond: (second: number) => void): Clock {
  let ms = 0;
  return {
    nowNs: () => BigInt(ms) * 1_000_000n,
    monotonicMs: () => ms,
    sleep: async (forMs) => onSecond((ms += forMs) / 1000),
  };
}

test('a server that comes no further is named, with where it stands and what it waits for; one that does never is', async () => {
  const [over, told, words] = [new AbortController(), new Array<string>(), new ServerWords()];
  let wants: readonly string[] = [];
  const at = (lsn: string, second: number): string =>
    `LOG:  redo in progress, elapsed time: ${second}.00 s, current LSN: ${lsn}`;
  const clock = secondsClock((second) => {
    // For an hour it crawls through one file; then it says the same again and again, until it gets on.
    if (second % 10 === 0)
      words.hear(at(`0/3${(second <= 3600 ? second : 3600).toString(16).toUpperCase().padStart(6, '0')}`, second));
    if (second === 3901) wants = ['000000010000000000000004', '000000010000000000000005'];
    if (second === 4210) words.hear('LOG:  restored log file "000000010000000000000004" from archive');
    if (second === 4500) over.abort();
  });
  const watched = { progress: () => words.progress, at: () => words.said.redoingAt, wants: () => wants };
  await nameStalls(watched, { clock, until: over.signal, tell: (message) => void told.push(message) });
  const stands = 'the server that replays the log has made no progress for';
  assert.deepEqual(told, [
    `${stands} 5 minutes at 0/3000E10: it has every file of the log that it asked for: its disk, its processor or its memory hold it up`,
    `${stands} 10 minutes at 0/3000E10: it waits for 000000010000000000000004 and 1 more of the log, which no place has delivered`,
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Console } from './console.ts';
import { showProgress, type ProgressState } from './progress.ts';

const ignored = (): void => undefined;
const console: Console = {
  ...{ form: 'json', verbosity: 1, terminal: undefined },
  ...{ say: ignored, record: ignored, piece: ignored, raw: async () => undefined, complain: ignored, status: ignored },
};

test('how long the rest takes is told by the present phase, whatever went before', () => {
  let nowMs = 0;
  const clock = {
    nowNs: () => 0n,
    monotonicMs: () => nowMs,
    sleep: async () => await Promise.withResolvers<void>().promise,
  };
  let last: ProgressState | undefined;
  const context = { clock, console, environment: {}, listener: ignored, globals: { quiet: false } };
  const view = showProgress(context, { status: (state) => void (last = state) });
  const told = (phase: string, doneBytes: number): void =>
    view.listener({ kind: 'progress', phase, doneBytes, totalBytes: 100, doneItems: 0 });
  told('restoring', 50);
  nowMs = 3_600_000;
  told('restoring', 100);
  told('replaying the log', 0);
  nowMs += 10_000;
  told('replaying the log', 20);
  view[Symbol.dispose]();
  assert.deepEqual([last?.elapsedMs, last?.phaseMs, last?.remainingMs], [3_610_000, 10_000, 40_000]);
});

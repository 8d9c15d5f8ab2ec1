import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { run, type EventData } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../src/clock/clock.ts';
import { acceptedInCi } from '../test/absences.ts';
import { readProof, type Proof } from '../test/support/proof.ts';
import { root, stateFolder } from './tree.ts';

export interface TestRun {
  passed: number;
  failed: number;
  skipped: number;
  /** What the tests said they had proven, for docs/PROOF.md. */
  readonly proofs: Proof[];
}

interface RunOptions {
  /** A file that takes longer fails by its name, and its process is ended. */
  readonly longestFileMs: number;
  /** Of each file, as soon as it has ended. */
  readonly onFile?: (file: string, result: TestRun) => void;
}

const inCi = process.env['CI'] !== undefined;

/** Much of the tests' time is spent waiting for the programs that they start. */
const filesAtOnce = availableParallelism() + 1;

/** Compiled once, not by each of the hundreds of processes and threads that tests start. */
const compileCache = join(stateFolder, 'compiled');

/** Runs test files, each in a process of its own, a few at a time; prints failures in full and a line a file. */
export async function runTests(files: readonly string[], { longestFileMs, onFile }: RunOptions): Promise<TestRun> {
  process.env['NODE_COMPILE_CACHE'] ??= compileCache;
  const total = noResult();
  const waiting = [...files];
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, longestFileMs);
      add(total, result);
      onFile?.(file, result);
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
  if (total.passed + total.failed === 0) fail(total, 'npm test', 'no test ran');
  return total;
}

/** A run of its own for each file: only so can one that hangs be ended alone. */
async function runFile(file: string, longestFileMs: number): Promise<TestRun> {
  const result = noResult();
  const late = AbortSignal.timeout(longestFileMs);
  const events = run({
    files: [resolve(root, file)],
    signal: late,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  events.on('test:pass', (data) => passed(result, data));
  events.on('test:fail', (data) => failed(result, data));
  events.on('test:stdout', ({ message }) => process.stdout.write(message));
  events.on('test:stderr', ({ message }) => process.stdout.write(message));
  events.on('test:diagnostic', ({ message }) => result.proofs.push(...readProof(message)));
  const startMs = systemClock.monotonicMs();
  for await (const _event of events) {
    // Read to the end: the listeners above do the work.
  }
  if (late.aborted) fail(result, shown(file), `had not ended after ${longestFileMs / 1000} s, and was ended`);
  const tookMs = Math.round(systemClock.monotonicMs() - startMs);
  const tests = result.passed + result.failed + result.skipped;
  console.log(`${result.failed === 0 ? '✔' : '✖'} ${shown(file)} (${tests}, ${tookMs} ms)`);
  return result;
}

function noResult(): TestRun {
  return { passed: 0, failed: 0, skipped: 0, proofs: [] };
}

function add(total: TestRun, { passed, failed, skipped, proofs }: TestRun): void {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  total.proofs.push(...proofs);
}

export function summaryOf({ passed, failed, skipped }: TestRun): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function passed(result: TestRun, data: EventData.TestPass): void {
  if (data.details.type === 'suite') return;
  if (data.name === data.file) return fail(result, where(data), 'holds no test');
  const skip = data.skip ?? data.todo;
  if (skip === undefined || skip === false) {
    result.passed += 1;
  } else if (inCi && !acceptedInCi(String(skip))) {
    fail(result, where(data), `skipped (${String(skip)}), which test/absences.ts does not accept in CI`);
  } else {
    result.skipped += 1;
    console.log(`- ${where(data)}: skipped, ${String(skip)}`);
  }
}

function failed(result: TestRun, data: EventData.TestFail): void {
  const { error } = data.details;
  if ('failureType' in error && quietFailures.includes(String(error.failureType))) return;
  fail(result, where(data), inspect(error.cause ?? error, { depth: 8 }));
}

/** Said by the tests themselves, or by runFile. */
const quietFailures = ['subtestsFailed', 'testAborted'];

function fail(result: TestRun, title: string, detail: string): void {
  result.failed += 1;
  console.log(`\n✖ ${title}\n${detail.replaceAll(/^/gm, '  ')}\n`);
}

function where(data: EventData.TestPass | EventData.TestFail): string {
  return `${shown(data.file)} :: ${shown(data.name)}`;
}

function shown(path = ''): string {
  return path.replace(`${root}/`, '');
}

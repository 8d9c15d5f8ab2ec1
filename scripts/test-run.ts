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
  /** Each failure's title and detail, to be said again at the end of a long log. */
  readonly failures: string[];
  /** What the tests said they had proven, for docs/PROOF.md. */
  readonly proofs: Proof[];
  /** Somebody ended the file's process: that shows nothing of what it tests. */
  isCutOff?: true;
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
  return { passed: 0, failed: 0, skipped: 0, failures: [], proofs: [] };
}

function add(total: TestRun, { passed, failed, skipped, failures, proofs }: TestRun): void {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  total.failures.push(...failures);
  total.proofs.push(...proofs);
}

export function summaryOf({ passed, failed, skipped }: TestRun): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** What failed, said again in brief: a log that is cut keeps its end. */
export function failuresOf({ failures }: TestRun): string {
  return failures.map((failure) => `${failure.slice(0, longestFailure)}\n`).join('\n');
}

/** Characters of one failure that are said again; it stands whole where it happened. */
const longestFailure = 4_000;

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
  fail(result, where(data), `${inspect(error.cause ?? error, { depth: 8 })}${endOf(error)}`);
  if (signalsOfPeople.includes(String(Reflect.get(error, 'signal')))) result.isCutOff = true;
}

/** Of a file's process that ended beside its tests: by what. */
function endOf(error: object): string {
  const told = ['exitCode', 'signal'].map((name) => [name, Reflect.get(error, name)] as const);
  const ends = told.filter(([, value]) => value !== undefined && value !== null);
  return ends.length === 0 ? '' : `\n${ends.map(([name, value]) => `${name} ${String(value)}`).join(', ')}`;
}

/** A crash has others, and so has a system that is out of memory. */
const signalsOfPeople = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/** Said by the tests themselves, or by runFile. */
const quietFailures = ['subtestsFailed', 'testAborted'];

function fail(result: TestRun, title: string, detail: string): void {
  const failure = `✖ ${title}\n${detail.replaceAll(/^/gm, '  ')}`;
  result.failed += 1;
  result.failures.push(failure);
  console.log(`\n${failure}\n`);
}

function where(data: EventData.TestPass | EventData.TestFail): string {
  return `${shown(data.file)} :: ${shown(data.name)}`;
}

function shown(path = ''): string {
  return path.replace(`${root}/`, '');
}

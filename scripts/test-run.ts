import { resolve } from 'node:path';
import { run, type EventData } from 'node:test';
import { inspect } from 'node:util';
import { acceptedInCi } from '../test/absences.ts';
import { readProof, type Proof } from '../test/support/proof.ts';
import { root } from './tree.ts';

interface TestRun {
  passed: number;
  failed: number;
  skipped: number;
  /** What the tests said they had proven, for docs/PROOF.md. */
  readonly proofs: Proof[];
}

const inCi = process.env['CI'] !== undefined;

/** A file that hangs fails, and what was tested beside it is told. */
const longestFileMs = 60 * 60_000;

/** Runs test files, each in a process of its own, two at a time; prints failures in full and a line a file. */
export async function runTests(files: readonly string[], options: { readonly signal?: AbortSignal } = {}) {
  const result: TestRun = { passed: 0, failed: 0, skipped: 0, proofs: [] };
  const events = run({
    ...options,
    files: files.map((file) => resolve(root, file)),
    concurrency: 2,
    timeout: longestFileMs,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  events.on('test:pass', (data) => passed(result, data));
  events.on('test:fail', (data) => failed(result, data));
  events.on('test:stdout', ({ message }) => process.stdout.write(message));
  events.on('test:stderr', ({ message }) => process.stdout.write(message));
  events.on('test:diagnostic', ({ message }) => result.proofs.push(...readProof(message)));
  events.on('test:summary', finishedFile);
  for await (const _event of events) {
    // Read to the end: the listeners above do the work.
  }
  if (result.passed + result.failed === 0) fail(result, 'npm test', 'no test ran');
  return result;
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
  if ('failureType' in error && error.failureType === 'subtestsFailed') return;
  fail(result, where(data), inspect(error.cause ?? error, { depth: 8 }));
}

function fail(result: TestRun, title: string, detail: string): void {
  result.failed += 1;
  console.log(`\n✖ ${title}\n${detail.replaceAll(/^/gm, '  ')}\n`);
}

function finishedFile(data: EventData.TestSummary): void {
  if (data.file === undefined) return;
  const took = Math.round(data.duration_ms);
  console.log(`${data.success ? '✔' : '✖'} ${shown(data.file)} (${data.counts.tests}, ${took} ms)`);
}

function where(data: EventData.TestPass | EventData.TestFail): string {
  return `${shown(data.file)} :: ${shown(data.name)}`;
}

function shown(path = ''): string {
  return path.replace(`${root}/`, '');
}

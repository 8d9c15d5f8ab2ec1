import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, type EventData } from 'node:test';
import { inspect } from 'node:util';
import { acceptedInCi } from '../test/absences.ts';
import { filesMatching, root, stateFolder } from './tree.ts';

/**
 * `npm test [-- PATH…]`: every test file, or those whose path contains one of the arguments. Its last line is
 * `N passed, N failed, N skipped`, kept in .cache/test-summary for .ci/run.
 */
const summaryFile = join(stateFolder, 'test-summary');
const counts = { passed: 0, failed: 0, skipped: 0 };
const inCi = process.env['CI'] !== undefined;

function wanted(): readonly string[] {
  const filters = process.argv.slice(2);
  const all = filesMatching('{src,test,scripts}/**/*.test.ts');
  return filters.length === 0 ? all : all.filter((file) => filters.some((filter) => file.includes(filter)));
}

function fail(title: string, detail: string): void {
  counts.failed += 1;
  console.log(`\n✖ ${title}\n${detail.replaceAll(/^/gm, '  ')}\n`);
}

function shown(path = ''): string {
  return path.replace(`${root}/`, '');
}

function where(data: EventData.TestPass | EventData.TestFail): string {
  return `${shown(data.file)} :: ${shown(data.name)}`;
}

function passed(data: EventData.TestPass): void {
  if (data.details.type === 'suite') return;
  if (data.name === data.file) return fail(where(data), 'holds no test');
  const skip = data.skip ?? data.todo;
  if (skip === undefined || skip === false) {
    counts.passed += 1;
  } else if (inCi && !acceptedInCi(String(skip))) {
    fail(where(data), `skipped (${String(skip)}), which test/absences.ts does not accept in CI`);
  } else {
    counts.skipped += 1;
    console.log(`- ${where(data)}: skipped, ${String(skip)}`);
  }
}

function failed(data: EventData.TestFail): void {
  const { error } = data.details;
  if ('failureType' in error && error.failureType === 'subtestsFailed') return;
  fail(where(data), inspect(error.cause ?? error, { depth: 8 }));
}

function finishedFile(data: EventData.TestSummary): void {
  if (data.file === undefined) return;
  const took = Math.round(data.duration_ms);
  console.log(`${data.success ? '✔' : '✖'} ${shown(data.file)} (${data.counts.tests}, ${took} ms)`);
}

const files = wanted();
mkdirSync(stateFolder, { recursive: true });
rmSync(summaryFile, { force: true });
const events = run({
  files: files.map((file) => join(root, file)),
  concurrency: 2,
  execArgv: ['--disable-warning=ExperimentalWarning'],
});
events.on('test:pass', passed);
events.on('test:fail', failed);
events.on('test:stdout', ({ message }) => process.stdout.write(message));
events.on('test:stderr', ({ message }) => process.stdout.write(message));
events.on('test:summary', finishedFile);
for await (const _event of events) {
  // Read to the end: the listeners above do the work.
}
if (counts.passed + counts.failed === 0) fail('npm test', 'no test ran');
const summary = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
writeFileSync(summaryFile, `${summary}\n`);
console.log(summary);
process.exitCode = counts.failed === 0 ? 0 : 1;

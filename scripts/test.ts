import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failuresOf, runTests, summaryOf } from './test-run.ts';
import { allTests, stateFolder } from './tree.ts';

/**
 * `npm test [-- PATH…]`: every test file, or those whose path contains one of the arguments. Its last line is
 * `N passed, N failed, N skipped`, kept behind what failed in .cache/test-summary for .ci/run.
 */
const summaryFile = join(stateFolder, 'test-summary');
const filters = process.argv.slice(2);
const files = allTests().filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));

mkdirSync(stateFolder, { recursive: true });
rmSync(summaryFile, { force: true });
/** No file takes a tenth of it on an idle machine; a cold build of a peer stays below. */
const longestFileMs = 15 * 60_000;
const result = await runTests(files, { longestFileMs });
const summary = `${failuresOf(result)}${summaryOf(result)}`;
writeFileSync(summaryFile, `${summary}\n`);
console.log(summary);
process.exitCode = result.failed === 0 ? 0 : 1;

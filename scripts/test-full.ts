import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/clock/clock.ts';
import { proofPage, type Section } from './proof-page.ts';
import { runTests, summaryOf } from './test-run.ts';
import { filesMatching, root, stateFolder, testFiles } from './tree.ts';

/**
 * `npm run test:full [-- SECTION…]`: every test at full size, a section after the other, each within an hour. What
 * is done for this commit is kept in .cache/ and not run again. A run without failure writes docs/PROOF.md.
 */
const longestSectionMs = 60 * 60_000;
const stateFile = join(stateFolder, 'test-full.json');

interface State {
  readonly commit: string;
  readonly done: Readonly<Record<string, Section>>;
}

function main(): Promise<void> {
  process.env['HOLDFAST_BUDGET'] = 'full';
  mkdirSync(stateFolder, { recursive: true });
  return runSections(sectionsOf(filesMatching(testFiles)), process.argv.slice(2));
}

/** A section is a room of src/, or a folder of test/ or scripts/. */
function sectionsOf(files: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(files, (file) => file.split('/').slice(0, 2).join('/'));
}

async function runSections(sections: ReadonlyMap<string, readonly string[]>, wanted: readonly string[]): Promise<void> {
  const commit = currentCommit();
  let done = readState(commit).done;
  for (const [name, files] of sections) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    if (done[name] !== undefined) {
      console.log(`${name}: done already at this commit`);
      continue;
    }
    console.log(`\n${name}`);
    const section = await runSection(files);
    if (section === undefined) return;
    done = { ...done, [name]: section };
    writeWhole(stateFile, JSON.stringify({ commit, done } satisfies State));
  }
  if (sections.keys().every((name) => done[name] !== undefined)) {
    writeWhole(join(root, 'docs/PROOF.md'), proofPage(commit, done));
    console.log('\ndocs/PROOF.md is written');
  }
}

/** The section's result, or undefined after a failure, which ends the run. */
async function runSection(files: readonly string[]): Promise<Section | undefined> {
  const result = await runTests(files, { signal: AbortSignal.timeout(longestSectionMs) });
  console.log(summaryOf(result));
  if (result.failed > 0) process.exitCode = 1;
  if (result.failed > 0) return undefined;
  return { date: today(), passed: result.passed, skipped: result.skipped, proofs: result.proofs };
}

function currentCommit(): string {
  const git = (...args: readonly string[]): string =>
    spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs/PROOF.md') !== '';
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`;
}

/** Results of another commit, or of changed files, prove nothing about this one. */
function readState(commit: string): State {
  const fresh = { commit, done: {} };
  if (commit.endsWith('changes') || !existsSync(stateFile)) return fresh;
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as State;
  return state.commit === commit ? state : fresh;
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function today(): string {
  return new Date(Number(systemClock.nowNs() / 1_000_000n)).toISOString().slice(0, 10);
}

await main();

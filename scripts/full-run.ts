import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock } from '../src/clock/clock.ts';
import { proofPage, type Section, type Sections } from './proof-page.ts';
import { runTests, summaryOf, type TestRun } from './test-run.ts';

/**
 * The full run: every test file is a section, run at full size within an hour. After each section what it has shown is
 * kept and the page is written anew, so that a run that was cut off loses no more than the sections then running, and
 * the page names those that are missing, among them those that somebody ended. A section that passed at this commit is
 * not run again.
 */
export interface FullRun {
  readonly files: readonly string[];
  /** Only sections whose path contains one of these; all without. */
  readonly wanted: readonly string[];
  /** Ends with 'with changes' when files differ from it: then nothing is kept. */
  readonly commit: string;
  readonly stateFile: string;
  readonly pageFile: string;
}

const longestSectionMs = 60 * 60_000;

/** Resolves to how many tests of the sections that were run now failed. */
export async function fullRun(options: FullRun): Promise<number> {
  let sections = readState(options);
  const record = (file: string, { passed, failed, skipped, proofs, isCutOff }: TestRun): void => {
    if (isCutOff) return;
    const section: Section = { date: today(), commit: options.commit, passed, failed, skipped, proofs };
    sections = { ...sections, [file]: section };
    writeWhole(options.stateFile, JSON.stringify(sections));
    writeWhole(options.pageFile, proofPage(options.files, sections));
  };
  const pending = options.files.filter((file) => isWanted(file, options) && !hasPassed(sections[file], options));
  console.log(`${pending.length} of ${options.files.length} sections are to be run at ${options.commit}`);
  if (pending.length === 0) return 0;
  const result = await runTests(pending, { longestFileMs: longestSectionMs, onFile: record });
  console.log(summaryOf(result));
  return result.failed;
}

function hasPassed(section: Section | undefined, { commit }: FullRun): boolean {
  return section?.commit === commit && section.failed === 0;
}

function isWanted(file: string, { wanted }: FullRun): boolean {
  return wanted.length === 0 || wanted.some((part) => file.includes(part));
}

/** Of sections that still exist. Each names its commit: what an older one has shown stays on the page until it is run again. */
function readState({ files, commit, stateFile }: FullRun): Sections {
  if (commit.endsWith('changes') || !existsSync(stateFile)) return {};
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as Sections;
  return Object.fromEntries(Object.entries(state).filter(([file]) => files.includes(file)));
}

function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

function today(): string {
  return new Date(Number(systemClock.nowNs() / 1_000_000n)).toISOString().slice(0, 10);
}

import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout's folder. */
export const root = dirname(import.meta.dirname);

/** What the tools of this checkout keep between runs; never shared with another checkout. */
export const stateFolder = join(root, '.cache');

/** Where tests stand: beside what they test, or in test/. */
const testFiles = '{src,test,scripts}/**/*.test.ts';

/** Files below the checkout that match, relative and sorted. */
export function filesMatching(...patterns: readonly string[]): readonly string[] {
  return globSync([...patterns], { cwd: root }).sort();
}

/** Every test file; those of whole programs first, since they take longest. */
export function allTests(): readonly string[] {
  const files = filesMatching(testFiles);
  const long = files.filter((file) => file.startsWith('test/'));
  return [...long, ...files.filter((file) => !long.includes(file))];
}

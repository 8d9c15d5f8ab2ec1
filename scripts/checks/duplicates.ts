import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesMatching, root } from '../tree.ts';
import type { Verdict } from './check.ts';

/** So many lines in a row, alike but for white space, are a duplicate. */
const windowLines = 12;

interface Line {
  readonly path: string;
  readonly number: number;
  readonly text: string;
}

/** Blocks that stand twice in the sources, tests included. */
export function checkDuplicates(): Verdict {
  const paths = filesMatching('{src,scripts,test,bench}/**/*.ts');
  return { findings: duplicates(paths.map((path) => linesOf(path, readFileSync(join(root, path), 'utf8')))) };
}

/** The lines that say something: neither blank, nor a lone bracket, nor an import. */
export function linesOf(path: string, text: string): readonly Line[] {
  return text
    .split('\n')
    .map((line, index) => ({ path, number: index + 1, text: line.trim() }))
    .filter((line) => /\w/.test(line.text) && !line.text.startsWith('import '));
}

/** One finding for each block, where its second copy begins. */
export function duplicates(files: readonly (readonly Line[])[]): readonly string[] {
  const seen = new Map<string, Line>();
  const findings: string[] = [];
  for (const lines of files) {
    let reportedUpTo = 0;
    for (let start = 0; start + windowLines <= lines.length; start += 1) {
      const block = lines.slice(start, start + windowLines);
      const key = block.map((line) => line.text).join('\n');
      const [first] = block;
      const earlier = seen.get(key);
      if (first !== undefined && earlier === undefined) seen.set(key, first);
      if (first === undefined || earlier === undefined) continue;
      if (start >= reportedUpTo) findings.push(`${at(first)} repeats ${windowLines} lines of ${at(earlier)}`);
      reportedUpTo = start + windowLines;
    }
  }
  return findings;
}

function at(line: Line): string {
  return `${line.path}:${line.number}`;
}

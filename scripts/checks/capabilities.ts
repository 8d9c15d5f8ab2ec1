import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tree.ts';
import type { Verdict } from './check.ts';
import { tableCells } from './table.ts';

type ReadText = (path: string) => string | undefined;

/** Holds docs/CAPABILITIES.md to its word: what works or partly works names tests that exist. */
export function checkCapabilities(): Verdict {
  const page = readFileSync(join(root, 'docs/CAPABILITIES.md'), 'utf8');
  return capabilityVerdict(page, (path) => {
    const file = join(root, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  });
}

export function capabilityVerdict(page: string, read: ReadText): Verdict {
  const rows = tableCells(page);
  const count = (state: string): number => rows.filter((row) => row[1] === state).length;
  return {
    findings: rows.flatMap((row) => rowFindings(row, read)),
    remarks: [`${count('works')} work, ${count('partly')} partly, ${count('unsupported')} unsupported`],
  };
}

function rowFindings([name = '', state = '', tests = '', ...more]: readonly string[], read: ReadText): string[] {
  if (more.length > 0) return [`${name}: a row has three cells`];
  if (state === 'unsupported') return [];
  if (state !== 'works' && state !== 'partly') return [`${name}: ${state} is neither works, partly nor unsupported`];
  if (tests === '') return [`${name}: names no test`];
  return tests.split('<br>').flatMap((test) => testFinding(name, test.trim(), read));
}

/** A test is named `path :: title`, the title as it stands in the file between its quotes. */
function testFinding(name: string, test: string, read: ReadText): string[] {
  const [path = '', title = ''] = test.split(' :: ');
  const text = path.endsWith('.test.ts') ? read(path) : undefined;
  if (text === undefined) return [`${name}: ${path} is no test file`];
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${title.replaceAll(quote, `\\${quote}`)}${quote}`);
  if (title !== '' && quoted.some((literal) => text.includes(literal))) return [];
  return [`${name}: ${path} has no test "${title}"`];
}

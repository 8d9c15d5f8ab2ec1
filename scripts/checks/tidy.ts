import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { filesMatching, root } from '../tree.ts';
import { parseFile } from '../source-file.ts';
import type { Verdict } from './check.ts';
import { functionsOf } from './functions.ts';

const fileCapLines = 300;
const testFileCapLines = 450;
const longFunctionLines = 40;

/** Sizes: told always, failed beyond the cap. */
export function checkSizes(): Verdict {
  const files = filesMatching('{src,scripts,test,bench}/**/*.ts').map(parseFile);
  const sizes = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
  const functions = files.flatMap(functionsOf).toSorted((a, b) => b.lines - a.lines);
  const long = functions.filter(({ lines, path }) => lines > longFunctionLines && !path.endsWith('.test.ts'));
  const total = sizes.reduce((sum, { lines }) => sum + lines, 0);
  return {
    findings: sizes
      .filter(({ path, lines }) => lines > capOf(path))
      .map(({ path, lines }) => `${path} has ${lines} lines, more than ${capOf(path)}`),
    remarks: [
      `${files.length} files, ${Math.round(total / files.length)} lines on average, ${total} in all`,
      ...long.map(({ path, name, lines }) => `${path}: ${name} has ${lines} lines`),
    ],
  };
}

function capOf(path: string): number {
  return path.endsWith('.test.ts') ? testFileCapLines : fileCapLines;
}

const unfinished =
  /\b(?:TO[D]O|FIX[M]E|XX[X])\b|@ts-(?:ignore|expect-error)|\b(?:it|test|describe)\.(?:only|todo|skip)\(/;

/** What no tracked file may say: a path of the machine it was written on, a mark of unfinished work. */
export function checkWords(): Verdict {
  const machine = [`${dirname(root)}/`, `${homedir()}/`].filter((path) => path.length > '/tmp/'.length);
  const findings = trackedFiles().flatMap((path) => {
    const lines = readFileSync(join(root, path), 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const named = machine.find((folder) => line.includes(folder));
      if (named !== undefined) return [`${path}:${index + 1} names a folder of this machine`];
      return !path.startsWith('wasm/') && unfinished.test(line)
        ? [`${path}:${index + 1} is unfinished: ${line.trim()}`]
        : [];
    });
  });
  return { findings: [...findings, ...lockFindings()] };
}

/** The lock file pins by integrity; where packages come from is the installing machine's matter. */
function lockFindings(): readonly string[] {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  return lock.includes('"resolved": "http') ? ['package-lock.json names a registry'] : [];
}

function trackedFiles(): readonly string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached'], { cwd: root, encoding: 'utf8' });
  return stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../scripts/tree.ts';
import { served } from './support/served.ts';
import { tempDir } from './support/temp-dir.ts';

/** What stands in backquotes behind the first column. */
const named = readFileSync(join(root, 'docs/pgbackrest.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .flatMap((line) =>
    [
      ...line
        .split(' | ')
        .slice(1)
        .join(' | ')
        .matchAll(/`([^`]+)`/g),
    ].map(([, text = '']) => text),
  );

const groups = new Set(['postgres', 'key']);

/** `holdfast -r REPOSITORY key add X --y` is of `key add`. */
function commandOf(text: string): string {
  const [first = '', second = ''] = text.replace(/^holdfast (?:-r REPOSITORY )?/, '').split(' ');
  return groups.has(first) ? `${first} ${second}` : first;
}

const flagsIn = (text: string): readonly string[] => text.match(/(?<= |^)--?[a-z][a-z-]*/g) ?? [];

test('every command and option that the table for pgBackRest’s users names is there', async () => {
  await using dir = await tempDir();
  const helpOf = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout } = await served({ args: [...words, '--help'], cwd: dir.path, env: {} });
    assert.equal(code, 0, words.join(' '));
    return stdout.toString();
  };
  const has = (help: string, flag: string): boolean => new RegExp(`(?: |^)${flag}(?:[ ,]|$)`, 'm').test(help);
  const everywhere = await helpOf();
  const helps = new Map<string, string>();
  for (const text of named.filter((one) => one.startsWith('holdfast '))) {
    const command = commandOf(text);
    const help = helps.get(command) ?? (await helpOf(...command.split(' ')));
    helps.set(command, help);
    for (const flag of flagsIn(text)) assert.ok(has(help + everywhere, flag), `${flag} in ${text}`);
  }
  assert.ok(helps.size > 15, [...helps.keys()].join(', '));
  const all = [everywhere, ...helps.values()].join('\n');
  for (const text of named.filter((one) => one.startsWith('-')))
    for (const flag of flagsIn(text)) assert.ok(has(all, flag.replace(/^-vv$/, '-v')), `${flag} in ${text}`);
});

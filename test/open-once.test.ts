import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { cheapKey } from './support/engine.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk, runProgram } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepositories } from './support/two-tools.ts';

const names = ['near', 'far', 'third'] as const;

/** Three repositories that cut alike, and two components whose rules use all of them. */
async function policy(dir: TempDir): Promise<void> {
  await mkdir(dir.file('data'));
  await writeFile(dir.file('data/file'), 'text');
  await writeFile(dir.file('password'), cheapKey.password);
  await cheapRepositories(names.map((name) => dir.file(name)));
  const places = names.map(
    (name) => `  ${name}: { url: ${dir.file(name)}, password: { file: ${dir.file('password')} } }`,
  );
  const to = names.map((name) => `${name}: { keep: { last: 2 } }`).join(', ');
  const component = (name: string): string =>
    `  ${name}: { files: { paths: [${dir.file('data')}] }, backups: { r: { every: 1h, to: { ${to} } } } }\n`;
  const components = `components:\n${component('one')}${component('two')}`;
  await writeFile(dir.file('holdfast.yaml'), `version: 1\nrepositories:\n${places.join('\n')}\n${components}`);
}

/** How often a command opens a repository. */
async function openings(dir: TempDir, ...args: readonly string[]): Promise<number> {
  const counted = dir.file('openings');
  await rm(counted, { force: true });
  const preload = pathToFileURL(join(import.meta.dirname, 'support/count-openings.ts')).href;
  const env = {
    HOLDFAST_CONFIG: undefined,
    RESTIC_REPOSITORY: undefined,
    NODE_OPTIONS: `--import=${preload}`,
    COUNT_OPENINGS: counted,
  };
  await runOk(holdfastProgram, ['--no-cache', '--state-dir', dir.file('state'), ...args], { cwd: dir.path, env });
  return (await readFile(counted, 'utf8')).length;
}

test('a command on a policy opens each repository once, however often it works there', async () => {
  await using dir = await tempDir();
  await policy(dir);
  const counts: Record<string, number> = {};
  for (const line of ['backup --all', 'copy --all', 'snapshots --points', 'status', 'forget --all', 'records'])
    counts[line] = await openings(dir, ...line.split(' '));
  counts['verify'] = await openings(dir, 'verify', '--all', '--from', 'each');
  for (const line of ['backup one', 'snapshots two --points', 'copy two', 'forget one'])
    counts[line] = await openings(dir, ...line.split(' '));
  counts['restore'] = await openings(dir, 'restore', 'one', '--target', dir.file('out'));
  assert.deepEqual(counts, Object.fromEntries(Object.keys(counts).map((line) => [line, names.length])));
  assert.equal(Object.keys(counts).length, 12);
});

test('a command that prints a password is run once, and not at all for a command line that is refused', async () => {
  await using dir = await tempDir();
  await policy(dir);
  const program = dir.file('print-password');
  await writeFile(program, `#!/bin/sh\necho run >> ${dir.file('runs')}\ncat ${dir.file('password')}\n`, {
    mode: 0o755,
  });
  const text = await readFile(dir.file('holdfast.yaml'), 'utf8');
  const [first, by] = [`file: ${dir.file('password')}`, `command: ${program}`];
  await writeFile(dir.file('holdfast.yaml'), text.replace(first, by));
  const args = ['--no-cache', '--state-dir', dir.file('state'), '--config', dir.file('holdfast.yaml')];
  await writeFile(dir.file('runs'), '');
  const refused = await runProgram(holdfastProgram, [...args, 'backup', 'one', '--rule', 'none']);
  assert.equal(refused.code, 2);
  assert.equal(await readFile(dir.file('runs'), 'utf8'), '');
  await runOk(holdfastProgram, [...args, 'backup', 'one']);
  assert.equal(await readFile(dir.file('runs'), 'utf8'), 'run\n');
});

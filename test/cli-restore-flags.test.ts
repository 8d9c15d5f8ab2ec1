import assert from 'node:assert/strict';
import { appendFileSync, lutimesSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { inventoryOf } from '../scripts/first-backup/inventory.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { both, cheapRepository, expectExit } from './support/two-tools.ts';

const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };

function makeTree(dir: TempDir): void {
  mkdirSync(dir.file('tree/sub/deep'), { recursive: true });
  for (const name of ['a.txt', 'b.TXT', 'c.log', 'sub/a.txt', 'sub/deep/e.log'])
    writeFileSync(dir.file('tree', name), name);
  writeFileSync(dir.file('tree/zeros'), 'start');
  truncateSync(dir.file('tree/zeros'), 4_000_000);
  symlinkSync('a.txt', dir.file('tree/link'));
  for (const name of [
    'sub/deep/e.log',
    'sub/deep',
    'sub/a.txt',
    'sub',
    'a.txt',
    'b.TXT',
    'c.log',
    'zeros',
    'link',
    '.',
  ])
    lutimesSync(dir.file('tree', name), 1_000_000_000, 1_000_000_000);
}

/** A time that was restored; what is made meanwhile has another in each target. */
function madeOf({ modified = '' }: Readonly<Record<string, string>>): string {
  return modified.length < 19 || modified.startsWith('1000000000') ? modified : 'now';
}

/** What is in a target before: a file changed, one newer, one too many. */
function disturb(target: string): void {
  mkdirSync(`${target}/tree/sub`, { recursive: true });
  writeFileSync(`${target}/tree/a.txt`, 'other');
  writeFileSync(`${target}/tree/c.log`, 'older');
  utimesSync(`${target}/tree/c.log`, 1, 1);
  writeFileSync(`${target}/tree/sub/extra`, 'extra');
  appendFileSync(`${target}/tree/sub/extra.log`, 'extra');
}

test('restores leave what restic leaves, with each of its flags', options, async () => {
  await using dir = await tempDir();
  makeTree(dir);
  writeFileSync(dir.file('patterns'), '*.log\n');
  const at = await cheapRepository(dir.file('repository'));
  await resticOk('0.19.1', at, ['backup', 'tree'], { cwd: dir.path });
  const cases: readonly (readonly string[])[] = [
    ['--include', '/tree/sub'],
    ['-i', '*.txt', '--iinclude', '*.LOG'],
    ['--include-file', 'patterns'],
    ['--exclude', '*.txt', '-e', 'deep'],
    ['--iexclude', '*.txt', '--exclude-file', 'patterns'],
    ['--delete'],
    ['--delete', '--include', '/tree/sub'],
    ...['always', 'if-changed', 'if-newer', 'never'].map((when) => ['--overwrite', when]),
    ['--dry-run', '--delete'],
    ['--verify', '--sparse', '--delete'],
  ];
  for (const [number, args] of cases.entries()) {
    const targets = await both(async (tool) => {
      const target = dir.file(`${number}-${tool}`);
      disturb(target);
      await expectExit(0, tool, at, ['restore', 'latest', '--target', target, ...args], { cwd: dir.path });
      return [...inventoryOf(`${target}/tree`)].map(([path, facts]) => [path, { ...facts, modified: madeOf(facts) }]);
    });
    assert.deepEqual(targets.holdfast, targets.restic, args.join(' '));
  }
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fullRun } from './full-run.ts';
import { allTests, root, stateFolder } from './tree.ts';

/** `npm run test:full [-- PATH…]`: every test at full size, or those whose path contains one of the arguments. */
process.env['HOLDFAST_BUDGET'] = 'full';
const failed = await fullRun({
  files: allTests(),
  wanted: process.argv.slice(2),
  commit: currentCommit(),
  stateFile: join(stateFolder, 'test-full.json'),
  pageFile: join(root, 'docs/PROOF.md'),
});
process.exitCode = failed === 0 ? 0 : 1;

function currentCommit(): string {
  const git = (...args: readonly string[]): string =>
    spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', ':!docs/PROOF.md') !== '';
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`;
}

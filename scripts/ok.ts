import { spawnSync } from 'node:child_process';
import { root } from './tree.ts';

/** `npm run ok`: the static checks, each named, with what it found. */
const checks: Readonly<Record<string, readonly string[]>> = {
  types: ['tsc', '--noEmit', '-p', '.'],
};

let failed = 0;
for (const [name, [command = "", ...args]] of Object.entries(checks)) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  console.log(`${status === 0 ? '✔' : '✖'} ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

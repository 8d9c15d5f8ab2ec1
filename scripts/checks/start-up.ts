import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../tree.ts';
import type { Verdict } from './check.ts';

/** What everybody's first command may load besides our own modules and Node's. */
const allowedPackages: readonly string[] = [];

/** Commands that have to answer at once; the second fails, as it finds no repository, with all that it needs loaded. */
const quickCommands: readonly (readonly string[])[] = [
  ['version'],
  ['snapshots', '-r', '/nonexistent/repository', '--insecure-no-password'],
];

/** The packages that quick commands load: none that they don't need. */
export function checkStartUp(): Verdict {
  const verdicts = quickCommands.map(startUpOf);
  return {
    findings: verdicts.flatMap(({ findings }) => findings),
    remarks: verdicts.flatMap(({ remarks = [] }) => remarks),
  };
}

function startUpOf(command: readonly string[]): Verdict {
  const name = `holdfast ${command[0]}`;
  const modules = modulesOf(command);
  const own = modules.filter((url) => url.includes('/src/'));
  if (own.length === 0) return { findings: [`${name} loaded nothing of src/`] };
  const packages = new Set(modules.flatMap(packageOf));
  const strangers = [...packages].filter((one) => !allowedPackages.includes(one));
  return {
    findings: strangers.map((one) => `${name} loads ${one}`),
    remarks: [`${name} loads ${own.length} modules of src/`],
  };
}

function modulesOf(command: readonly string[]): readonly string[] {
  const preload = join(import.meta.dirname, 'list-modules.ts');
  const { output } = spawnSync(process.execPath, ['--import', preload, join(root, 'src/main.js'), ...command], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  return (output[3] ?? '').split('\n');
}

function packageOf(url: string): readonly string[] {
  const found = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  return found?.[1] === undefined ? [] : [found[1]];
}

import { spawnSync } from 'node:child_process';
import { root } from '../tree.ts';
import type { Check } from './check.ts';

/** A check that is a program from node_modules/.bin: it found something when it ends with another code than 0. */
export function tool(command: string, ...args: readonly string[]): Check {
  return () => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
    if (error !== undefined) return { findings: [`${command} did not run: ${error.message}`] };
    return { findings: status === 0 ? [] : [`${stdout}${stderr}`.trim() || `${command} ended with ${status}`] };
  };
}

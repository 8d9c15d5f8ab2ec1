import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import { reasonOf } from './system-error.ts';

/** What was started, as far as whoever started it sees. */
export interface Aside {
  readonly isRunning: () => boolean;
}

/**
 * Starts a program that outlives this one, in a session of its own and in the same folder; whatever it says goes to the
 * end of a file, as does why it could not be started.
 */
export function startAside(program: string, args: readonly string[], logPath: string): Aside {
  const log = openSync(logPath, 'a', 0o600);
  let state: 'running' | 'ended' = 'running';
  try {
    const child = spawn(program, [...args], { detached: true, stdio: ['ignore', log, log] });
    child.once('exit', () => (state = 'ended'));
    child.once('error', (error) => {
      state = 'ended';
      appendFileSync(logPath, `${program} can't be started: ${reasonOf(error)}\n`);
    });
    child.unref();
    return { isRunning: () => state === 'running' };
  } finally {
    closeSync(log);
  }
}

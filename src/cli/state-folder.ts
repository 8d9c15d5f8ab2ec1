import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Context } from './context.ts';

/** Where this host keeps what is no cache: --state-dir, else /var/lib/holdfast for root, else by XDG. */
export function stateFolder({ globals, environment }: Context): string {
  if (globals.stateDir !== undefined) return globals.stateDir;
  if (process.getuid?.() === 0) return '/var/lib/holdfast';
  return join(environment['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'holdfast');
}

import { readFileSync } from 'node:fs';
import { errorCode } from './system-error.ts';
import { hostName } from './users.ts';

/** What tells this host from others, and this run of it from earlier ones. */
export interface HostIdentity {
  readonly name: string;
  /** Made when the system was installed; undefined where there is none, as in most containers. */
  readonly machine: string | undefined;
  /** Another one after each start; undefined where the system doesn't tell. */
  readonly boot: string | undefined;
}

export function hostIdentity(): HostIdentity {
  return {
    name: hostName(),
    machine: lineIn('/etc/machine-id'),
    boot: lineIn('/proc/sys/kernel/random/boot_id'),
  };
}

function lineIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

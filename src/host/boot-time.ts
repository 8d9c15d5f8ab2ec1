import { readFileSync } from 'node:fs';
import { errorCode } from './system-error.ts';
import { hostIdentity } from './identity.ts';

/** The run of this host, and when it began by its clock of now: another second of the same run means that the clock was set. */
export interface BootTime {
  readonly boot: string;
  readonly seconds: number;
}

/** undefined where the system doesn't tell, as outside of Linux. */
export function bootTime(): BootTime | undefined {
  const { boot } = hostIdentity();
  const seconds = /^btime (\d+)$/m.exec(statistics() ?? '')?.[1];
  return boot === undefined || seconds === undefined ? undefined : { boot, seconds: Number(seconds) };
}

function statistics(): string | undefined {
  try {
    return readFileSync('/proc/stat', 'utf8');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

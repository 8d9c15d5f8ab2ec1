import { randomUUID } from 'node:crypto';
import { hostName, processIsAlive } from '../../host/users.ts';

/** Every run that tries a storage keeps what it stores in a folder of its own below this. */
export const trialRoot = 'holdfast/conformance/';

/** Stored first and removed last by the run of a prefix. */
export function markerOf(prefix: string): string {
  return `${prefix}running`;
}

/** Who runs, and since when. */
export interface RunName {
  /** Whole seconds since 1970, by the clock of the host. */
  readonly startSeconds: number;
  readonly pid: number;
  /** As far as a key can hold it. */
  readonly host: string;
}

/** No run takes so long; one by the clock of a host that is wrong by more counts as over, too. */
const longestRunSeconds = 24 * 3600;

/** The run of this process that begins now: `1795276800.4711.5b0c8f1e.host`. */
export function newRunName(nowNs: bigint): string {
  const [random] = randomUUID().split('-');
  return [nowNs / 1_000_000_000n, process.pid, random, hostSegment(hostName())].join('.');
}

/** Undefined where the name is none of a run. */
export function parseRunName(name: string): RunName | undefined {
  const [, start = '', pid = '', host = ''] = /^(\d{1,12})\.(\d{1,10})\.[0-9a-f]{8}\.([\w.-]{1,200})$/.exec(name) ?? [];
  return host === '' ? undefined : { startSeconds: Number(start), pid: Number(pid), host };
}

/**
 * Whether nobody works on it any more: its process on this host is gone, or a day has passed. Who is on another host
 * can't be asked.
 */
export function isOver({ startSeconds, pid, host }: RunName, nowNs: bigint): boolean {
  if (Math.abs(Number(nowNs / 1_000_000_000n) - startSeconds) > longestRunSeconds) return true;
  return host === hostSegment(hostName()) && !processIsAlive(pid);
}

/** As the segment of a key can have it. */
function hostSegment(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 200) || '_';
}

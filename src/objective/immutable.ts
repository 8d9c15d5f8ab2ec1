import { roughText } from '../policy/span.ts';

/** What the storage says of the locks of all that a copy needs. */
export type LockState =
  | {
      readonly state: 'locked';
      readonly untilNs: bigint;
      /** 'governance': an administrator can pass it by. */
      readonly mode: 'compliance' | 'governance';
      readonly readNs: bigint;
    }
  | { readonly state: 'not locked'; readonly lacking: string }
  | { readonly state: 'unknown'; readonly reason: string };

export interface NamedLock {
  readonly repository: string;
  readonly lock: LockState;
}

export type Immutability = 'met' | 'at risk' | 'unknown' | 'too few';

/** Whether enough copies can't be removed by anybody now: a lock against all but an administrator is a risk. */
export function immutabilityOf(locks: readonly NamedLock[], least: number, nowNs: bigint): Immutability {
  const held = locks.filter(({ lock }) => lock.state === 'locked' && lock.untilNs > nowNs);
  const firm = held.filter(({ lock }) => lock.state === 'locked' && lock.mode === 'compliance');
  if (firm.length >= least) return 'met';
  if (held.length >= least) return 'at risk';
  const open = locks.filter(({ lock }) => lock.state === 'unknown');
  return held.length + open.length >= least ? 'unknown' : 'too few';
}

/** `bucket until 2026-12-21T10:00Z (read 3 h ago)`. */
export function lockText({ repository, lock }: NamedLock, nowNs: bigint): string {
  if (lock.state === 'unknown') return `${repository} not known: ${lock.reason}`;
  if (lock.state === 'not locked') return `${repository} NOT LOCKED: ${lock.lacking}`;
  const until = Temporal.Instant.fromEpochNanoseconds(lock.untilNs).toString({ smallestUnit: 'minute' });
  if (lock.untilNs <= nowNs) return `${repository} NOT LOCKED since ${until}`;
  const weak = lock.mode === 'governance' ? ', not against an admin' : '';
  return `${repository} until ${until}${weak} (read ${roughText(Number((nowNs - lock.readNs) / 1_000_000n))} ago)`;
}

import type { Clock } from '../../../clock/clock.ts';
import { lsnText } from '../lsn.ts';

export interface Watched {
  /** Another text whenever the server has come further. */
  readonly progress: () => string;
  /** Where it stands, as far as it told. */
  readonly at: () => bigint | undefined;
  /** Files of the log that it has asked for and doesn't have. */
  readonly wants: () => readonly string[];
}

/** A server tells of each file of the log, and from 15 on every 10 s of the position within. */
const quietMs = 5 * 60_000;
const lookMs = 1_000;

/**
 * Says of a server that has come no further for five minutes where it stands and what it waits for, and again as often;
 * ends nothing, since slow disks end by themselves. Resolves once it is aborted.
 */
export async function nameStalls(
  watched: Watched,
  {
    clock,
    until,
    tell,
  }: { readonly clock: Clock; readonly until: AbortSignal; readonly tell: (message: string) => void },
): Promise<void> {
  let [known, movedMs, toldMs] = ['', clock.monotonicMs(), 0];
  while (!until.aborted) {
    const [now, nowMs] = [watched.progress(), clock.monotonicMs()];
    if (now !== known) [known, movedMs, toldMs] = [now, nowMs, 0];
    else if (nowMs - Math.max(movedMs, toldMs) >= quietMs) {
      toldMs = nowMs;
      tell(stallText(watched, Math.floor((nowMs - movedMs) / 60_000)));
    }
    await clock.sleep(lookMs, until).catch(() => undefined); // it is over
  }
}

function stallText({ at, wants }: Watched, minutes: number): string {
  const [where, [file, ...more]] = [at(), wants()];
  const position = where === undefined ? '' : ` at ${lsnText(where)}`;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  const reason =
    file === undefined
      ? 'it has every file of the log that it asked for: its disk, its processor or its memory hold it up'
      : `it waits for ${file}${others} of the log, which no place has delivered`;
  return `the server that replays the log has made no progress for ${minutes} minutes${position}: ${reason}`;
}

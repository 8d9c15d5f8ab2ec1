import type { Clock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { sample } from './conformance/check.ts';
import type { Statement } from './statement.ts';
import type { Trial } from './trial.ts';

const second = 1_000_000_000n;
/** Of what counts by hours and days so much is nothing. */
const warnFromSeconds = 5;
/** From here on S3 refuses every request, and restic takes live locks for dead ones after a little more. */
const failFromSeconds = 15 * 60;

/** Compares the clocks of this host and of the storage, by the time at which an object is said to be stored if need be. */
export async function judgeClock(trial: Trial, clock: Clock): Promise<Statement> {
  const about = 'clock';
  const before = clock.nowNs();
  try {
    const there = await timeThere(trial);
    if (there !== undefined) return { about, ...judged(aheadSeconds(there, before, clock.nowNs())) };
  } catch (error) {
    if (!hasCode(error, 'unsupported')) throw error;
  }
  const detail = 'the storage tells no time of its own';
  return { about, state: 'unknown', text: 'whether the storage’s clock and this host’s agree', detail };
}

async function timeThere({ storage, place, leave }: Trial): Promise<bigint | undefined> {
  if (storage.timeThere) return await storage.timeThere();
  const here = place('clock');
  const bytes = sample(100, 3000);
  const key = here.key('now', bytes);
  await storage.put(key, [bytes]);
  const { modifiedNs } = await storage.stat(key);
  await leave(here);
  return modifiedNs;
}

/** How far this host is ahead of a time asked for in between; many storages leave fractions of a second away. */
export function aheadSeconds(thereNs: bigint, beforeNs: bigint, afterNs: bigint): number {
  if (thereNs > afterNs) return -Number((thereNs - afterNs) / second);
  return Math.max(0, Number((beforeNs - thereNs) / second - 1n));
}

function judged(ahead: number): Pick<Statement, 'state' | 'text' | 'detail'> {
  const off = Math.abs(ahead);
  if (off < warnFromSeconds) return { state: 'ok', text: 'the storage’s clock and this host’s agree' };
  const text = `this host’s clock is ${off} seconds ${ahead > 0 ? 'ahead of' : 'behind'} the storage’s`;
  return off < failFromSeconds
    ? { state: 'warning', text, detail: 'locks, the grace of prune and until-times rest on it: set it right (NTP)' }
    : {
        state: 'failed',
        text,
        detail: 'live locks look dead to others, and S3 refuses all requests: set it right (NTP)',
      };
}

import type { Clock } from '../../src/clock/clock.ts';
import { impatientClock } from './impatient-clock.ts';

const hourNs = 3_600_000_000_000n;

/** The system's clock, moved ahead between two pieces of work; short waits take no time. */
export class MovableClock implements Clock {
  #aheadNs = 0n;

  nowNs(): bigint {
    return impatientClock.nowNs() + this.#aheadNs;
  }

  monotonicMs(): number {
    return impatientClock.monotonicMs();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await impatientClock.sleep(ms, signal);
  }

  skipHours(hours: number): void {
    this.#aheadNs += BigInt(hours) * hourNs;
  }
}

import { systemClock, type Clock } from '../../src/clock/clock.ts';

const longestShortWaitMs = 1000;

/** The system's clock, but short waits (the one between the two looks at a lock) take no time. */
export const impatientClock: Clock = {
  ...systemClock,
  sleep: async (ms, signal) => await systemClock.sleep(ms <= longestShortWaitMs ? 0 : ms, signal),
};

const rounds = 7;
const roundMs = 60;

/** Microseconds of CPU time a call, the best round. */
export function microseconds(run: () => unknown): number {
  let best = Infinity;
  let calls = 1;
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) run();
    const { user, system } = process.cpuUsage(before);
    const took = (user + system) / calls;
    if (round > 0) best = Math.min(best, took);
    calls = Math.max(1, Math.ceil((roundMs * 1000) / Math.max(took, 0.1)));
  }
  return best;
}

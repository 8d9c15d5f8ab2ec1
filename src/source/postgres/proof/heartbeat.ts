import type { Clock } from '../../../clock/clock.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import { parsed, readingOf, type Heartbeat } from '../heartbeat.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { stepOf } from './step.ts';

/** What a copy tells of its own age: the newest heartbeat in it, against the one that its backup began with, and now. */
export async function readHeartbeat(
  server: SandboxedServer,
  written: Heartbeat,
  { component, clock }: { readonly component: string; readonly clock: Pick<Clock, 'nowNs'> },
): Promise<RehearsedStep> {
  const about = { name: 'heartbeat', expected: `one of ${written.at} or newer` };
  return await stepOf(server, about, async () => {
    const [row] = await server.in(
      server.database,
      async (connection) => await connection.rows(readingOf(written.table), [component]),
    );
    if (row === undefined) return { state: 'failed', found: 'there is none' };
    const { at, lsn } = parsed(written.table, row[0], row[1]);
    const ageSeconds = Math.round((Number(clock.nowNs() / 1_000_000n) - millisecondsOf(at)) / 1000);
    const found = `${at} at ${lsn}: what came in the ${ageSeconds} s since would be lost now`;
    return { state: millisecondsOf(at) < millisecondsOf(written.at) ? 'failed' : 'passed', found };
  });
}

function millisecondsOf(time: string): number {
  return Temporal.Instant.from(time).epochMilliseconds;
}

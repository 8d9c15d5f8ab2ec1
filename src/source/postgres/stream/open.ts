import type { LogDriver } from '../../log.ts';
import { named } from '../../named.ts';
import type { Surroundings } from '../../source.ts';
import { readAddress } from '../address.ts';
import { withMending } from '../mending.ts';
import type { PostgresOptions } from '../options.ts';
import type { HeartbeatWanted } from './beating.ts';

const unharmed =
  'Then run the command again: it goes on where the repositories are. What is stored of the log is unharmed; what the server keeps for its slot, if it has one, is still to come: the longer this waits, the more may be lost.';

/** The log as it is written. What follows it is loaded when it is needed, and reads the address anew at each connection. */
export function openStreaming(
  options: PostgresOptions,
  { component, readSecret }: Surroundings,
): Pick<LogDriver, 'stream'> {
  return {
    stream: async (work, how) => {
      try {
        const { followLog } = await import('./follow.ts');
        const address = async (signal: AbortSignal): Promise<string> =>
          await readAddress(readSecret, options.url, signal);
        await followLog(work, how, address, heartbeatOf(options));
      } catch (error) {
        work.signal.throwIfAborted();
        throw withMending(named(component, error, work.signal), unharmed);
      }
    },
  };
}

function heartbeatOf({ 'heartbeat': table, 'heartbeat-every': seconds }: PostgresOptions): HeartbeatWanted | undefined {
  return table === undefined ? undefined : { table, everyMs: seconds * 1000 };
}

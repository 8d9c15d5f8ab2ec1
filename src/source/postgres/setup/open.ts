import { named } from '../../named.ts';
import type { Setup } from '../../setup.ts';
import type { Surroundings } from '../../source.ts';
import type { PostgresOptions } from '../options.ts';
import { readAddress } from '../address.ts';
import { withMending } from '../mending.ts';

const unharmed = 'Run the command again then. What was applied before stays.';

/** Loads what sets a server up once it is asked for. */
export function openSetup(
  { url, reading, primary, heartbeat }: PostgresOptions,
  { component, clock, readSecret }: Surroundings,
): Setup {
  const reads = reading === 'host' && primary !== undefined ? 'host, from primary' : reading;
  const own = async <Result>(signal: AbortSignal, body: (setup: Setup) => Promise<Result>): Promise<Result> => {
    try {
      const { setupOf } = await import('./setup.ts');
      return await body(
        setupOf({ component, clock, reads, heartbeat, url: await readAddress(readSecret, url, signal) }),
      );
    } catch (error) {
      throw withMending(named(component, error, signal), unharmed);
    }
  };
  return {
    look: async (wanted, signal) => await own(signal, async (setup) => await setup.look(wanted, signal)),
    apply: async (item, wanted, signal) => await own(signal, async (setup) => await setup.apply(item, wanted, signal)),
  };
}

import { hasCode, HoldfastError } from '../../errors/error.ts';
import { named } from '../named.ts';
import type { Setup } from '../setup.ts';
import type { Surroundings } from '../source.ts';
import type { PostgresOptions } from './options.ts';

/** What a backup's failure says of snapshots is of no use here. */
function ofSetup(error: unknown): unknown {
  if (!hasCode(error, 'source-failed')) return error;
  const next =
    'See that the server runs, and lets the role of the address in (pg_hba.conf), then run the command again. What was applied before stays.';
  return new HoldfastError('source-failed', error.message, { cause: error, next });
}

/** Loads what sets a server up once it is asked for. */
export function openSetup(
  { url, reading, primary }: PostgresOptions,
  { component, clock, readSecret }: Surroundings,
): Setup {
  const reads = reading === 'host' && primary !== undefined ? 'host, from primary' : reading;
  const own = async <Result>(signal: AbortSignal, body: (setup: Setup) => Promise<Result>): Promise<Result> => {
    try {
      const { setupOf } = await import('./setup/setup.ts');
      return await body(setupOf({ component, clock, reads, url: (await readSecret(url, signal)).reveal() }));
    } catch (error) {
      throw ofSetup(named(component, error, signal));
    }
  };
  return {
    look: async (wanted, signal) => await own(signal, async (setup) => await setup.look(wanted, signal)),
    apply: async (item, wanted, signal) => await own(signal, async (setup) => await setup.apply(item, wanted, signal)),
  };
}

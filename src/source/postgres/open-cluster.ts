import { HoldfastError } from '../../errors/error.ts';
import { named } from '../named.ts';
import type { LogPosition, OpenedSource, Surroundings } from '../source.ts';
import { readAddress } from './address.ts';
import type { PostgresOptions } from './options.ts';

/** What is backed up as a whole, with its place in the log, and whether it can be asked. */
export function openCluster(
  options: PostgresOptions,
  { component, readSecret, clock }: Surroundings,
): Required<Pick<OpenedSource, 'source' | 'probe'>> {
  let position: LogPosition | undefined;
  const onPosition = (at: LogPosition): void => void (position = at);
  return {
    source: {
      position: () => position,
      prepare: async () => void (await import('./cluster.ts')),
      async *entries(walk) {
        try {
          const { backUpCluster } = await import('./cluster.ts');
          const url = await readAddress(readSecret, options.url, walk.signal);
          const primary = options.primary && (await readAddress(readSecret, options.primary, walk.signal));
          yield* backUpCluster({ ...options, url, primary, component, clock, onPosition }, walk);
        } catch (error) {
          walk.signal.throwIfAborted();
          throw named(component, error, walk.signal);
        }
      },
    },
    probe: async ({ signal }) => {
      try {
        const { askCluster } = await import('./cluster.ts');
        const url = await readAddress(readSecret, options.url, signal);
        await askCluster({ ...options, url, clock }, signal);
        return [];
      } catch (error) {
        if (!(error instanceof HoldfastError) || signal.aborted) throw error;
        return [{ what: 'the PostgreSQL server', reason: error.message }];
      }
    },
  };
}

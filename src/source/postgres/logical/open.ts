import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { named } from '../../named.ts';
import type { Loading } from '../../loading.ts';
import type { Lacking } from '../../probe.ts';
import type { OpenedSource, Source, Surroundings, WalkOptions } from '../../source.ts';
import type { PostgresOptions } from '../options.ts';

/** Databases one by one, as pg_dump sees them. */
export function openLogical(options: PostgresOptions, surroundings: Surroundings): OpenedSource {
  const { component, readSecret, clock } = surroundings;
  const { logical, programs } = options;
  const source: Source = {
    async *entries(walk) {
      try {
        const { backUpLogically } = await import('./back-up.ts');
        const url = (await readSecret(options.url, walk.signal)).reveal();
        yield* backUpLogically({ url, component, clock, programs, logical }, walk);
      } catch (error) {
        walk.signal.throwIfAborted();
        throw named(component, error, walk.signal);
      }
    },
  };
  const probe = async ({ signal }: Pick<WalkOptions, 'signal'>): Promise<readonly Lacking[]> => {
    try {
      const { askLogically } = await import('./ask.ts');
      const url = (await readSecret(options.url, signal)).reveal();
      await askLogically({ url, place: logical.client, programs, clock, signal });
      return [];
    } catch (error) {
      if (!(error instanceof HoldfastError) || signal.aborted) throw error;
      return [{ what: 'the PostgreSQL server', reason: error.message }];
    }
  };
  const loading: Loading = {
    description: `${component}/postgres.json`,
    plan: async (restored, wanted, walk) => {
      const { planLoad } = await import('./load.ts');
      return await planLoad({ component, clock, programs, logical }, { restored, wanted, signal: walk.signal });
    },
  };
  return { source, paths: [rawPathOf(`/${component}`)], excludes: [], probe, loading };
}

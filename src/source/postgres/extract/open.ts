import type { Extraction } from '../../extraction.ts';
import { named } from '../../named.ts';
import type { Surroundings } from '../../source.ts';
import type { PostgresOptions } from '../options.ts';
import type { ExtractionOptions } from './extract.ts';

/** Tables and schemas out of a cluster, or out of a dump. What does it is loaded when it is needed. */
export function openExtraction(
  { programs, logical }: PostgresOptions,
  { component, clock }: Surroundings,
  of: 'cluster' | 'dump',
): Extraction {
  const options = async (): Promise<ExtractionOptions> => {
    const given = { component, programs };
    const copying =
      of === 'cluster'
        ? (await import('./cluster-copy.ts')).copyOfCluster(given)
        : (await import('./dump-copy.ts')).copyOfDump(given);
    return { ...given, clock, logical, copying };
  };
  const telling = async <Result>(signal: AbortSignal, body: () => Promise<Result>): Promise<Result> => {
    try {
      return await body();
    } catch (error) {
      signal.throwIfAborted();
      throw named(component, error, signal);
    }
  };
  return {
    description: `${component}/postgres.json`,
    judge: async (restored, wanted, walk) =>
      await telling(walk.signal, async () => {
        const { judgeParts } = await import('./extract.ts');
        return await judgeParts(await options(), restored, wanted, walk);
      }),
    programs: async (restored, signal) => await (await options()).copying.programs(restored, signal),
    prepare: async (brought, wanted, walk) =>
      await telling(walk.signal, async () => {
        const { prepareParts } = await import('./extract.ts');
        return await prepareParts(await options(), brought, wanted, walk);
      }),
  };
}

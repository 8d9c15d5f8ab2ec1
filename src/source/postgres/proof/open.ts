import type { Rehearsal } from '../../rehearsal.ts';
import type { Surroundings } from '../../source.ts';
import type { PostgresOptions } from '../options.ts';

/** A cluster in a sandbox, started and asked by one and the same rehearsal, which is loaded when it is needed. */
export function openRehearsal({ programs }: PostgresOptions, { component, clock }: Surroundings): Rehearsal {
  let loaded: Promise<Rehearsal> | undefined;
  const load = async (): Promise<Rehearsal> => {
    const { rehearseCluster } = await import('../rehearse.ts');
    return rehearseCluster({ component, programs, clock });
  };
  const own = (): Promise<Rehearsal> => (loaded ??= load());
  return {
    folder: 'restored',
    programs: async (...given) => (await (await own()).programs?.(...given)) ?? [],
    bringUp: async (...given) => await (await own()).bringUp(...given),
    ask: async (...given) => await (await own()).ask(...given),
  };
}

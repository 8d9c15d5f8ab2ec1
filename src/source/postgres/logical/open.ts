import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { named } from '../../named.ts';
import type { Loading } from '../../loading.ts';
import type { Lacking } from '../../probe.ts';
import type { Rehearsal } from '../../rehearsal.ts';
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
  const probe = async ({ signal }: Pick<WalkOptions, 'signal'>): Promise<readonly Lacking[]> =>
    await lackingOf(options, surroundings, signal);
  const loading: Loading = {
    description: `${component}/postgres.json`,
    plan: async (restored, wanted, walk) => {
      const { planLoad } = await import('./load.ts');
      return await planLoad({ component, clock, programs, logical }, { restored, wanted, signal: walk.signal });
    },
  };
  let loaded: Promise<Rehearsal> | undefined;
  const load = (): Promise<Rehearsal> => (loaded ??= loadRehearsal(component, programsOf(options)));
  const rehearsal: Rehearsal = {
    folder: 'restored',
    bringUp: async (sandbox, restored, signal) => await (await load()).bringUp(sandbox, restored, signal),
    ask: async (sandbox, brought, depth) => await (await load()).ask(sandbox, brought, depth),
  };
  return { source, paths: [rawPathOf(`/${component}`)], excludes: [], probe, loading, rehearsal };
}

async function loadRehearsal(component: string, programs: readonly string[]): Promise<Rehearsal> {
  const { rehearseDumps } = await import('./rehearse.ts');
  return rehearseDumps({ component, programs });
}

/** Clients of a folder of their own are as good as those of a server. */
function programsOf({ programs, logical }: PostgresOptions): readonly string[] {
  return logical.client?.folder === undefined ? programs : [...programs, logical.client.folder];
}

async function lackingOf(
  { url, logical, programs }: PostgresOptions,
  { readSecret, clock }: Surroundings,
  signal: AbortSignal,
): Promise<readonly Lacking[]> {
  try {
    const { askLogically } = await import('./ask.ts');
    const address = (await readSecret(url, signal)).reveal();
    await askLogically({ url: address, place: logical.client, programs, clock, signal });
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError) || signal.aborted) throw error;
    return [{ what: 'the PostgreSQL server', reason: error.message }];
  }
}

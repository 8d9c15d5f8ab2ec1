import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { named } from '../../named.ts';
import type { Loading } from '../../loading.ts';
import type { Lacking } from '../../probe.ts';
import type { Rehearsal } from '../../rehearsal.ts';
import type { OpenedSource, Source, Surroundings } from '../../source.ts';
import { openExtraction } from '../extract/open.ts';
import type { PostgresOptions } from '../options.ts';
import { readAddress } from '../address.ts';

/** Databases one by one, as pg_dump sees them. What does it is loaded when it is needed. */
export function openLogical(options: PostgresOptions, surroundings: Surroundings): OpenedSource {
  const { component } = surroundings;
  return {
    source: sourceOf(options, surroundings),
    paths: [rawPathOf(`/${component}`)],
    excludes: [],
    probe: async ({ signal }) => await lackingOf(options, surroundings, signal),
    loading: loadingOf(options, surroundings),
    rehearsal: rehearsalOf(component, programsOf(options)),
    extraction: openExtraction(options, surroundings, 'dump'),
  };
}

function sourceOf(options: PostgresOptions, { component, readSecret, clock }: Surroundings): Source {
  const { logical, programs } = options;
  return {
    async *entries(walk) {
      try {
        const { backUpLogically } = await import('./back-up.ts');
        const url = await readAddress(readSecret, options.url, walk.signal);
        yield* backUpLogically({ url, component, clock, programs, logical }, walk);
      } catch (error) {
        walk.signal.throwIfAborted();
        throw named(component, error, walk.signal);
      }
    },
  };
}

function loadingOf({ logical, programs }: PostgresOptions, { component, clock }: Surroundings): Loading {
  return {
    description: `${component}/postgres.json`,
    plan: async (restored, wanted, walk) => {
      const { planLoad } = await import('./load.ts');
      return await planLoad({ component, clock, programs, logical }, { restored, wanted, walk });
    },
  };
}

/** One and the same for both of its calls: it knows the cluster that it has made. */
function rehearsalOf(component: string, programs: readonly string[]): Rehearsal {
  let loaded: Promise<Rehearsal> | undefined;
  const load = (): Promise<Rehearsal> =>
    (loaded ??= import('./rehearse.ts').then(({ rehearseDumps }) => rehearseDumps({ component, programs })));
  return {
    folder: 'restored',
    programs: async (restored, signal) => (await (await load()).programs?.(restored, signal)) ?? [],
    bringUp: async (sandbox, restored, signal) => await (await load()).bringUp(sandbox, restored, signal),
    ask: async (sandbox, brought, depth) => await (await load()).ask(sandbox, brought, depth),
  };
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
    const address = await readAddress(readSecret, url, signal);
    await askLogically({ url: address, place: logical.client, programs, clock, signal });
    return [];
  } catch (error) {
    if (!(error instanceof HoldfastError) || signal.aborted) throw error;
    return [{ what: 'the PostgreSQL server', reason: error.message }];
  }
}

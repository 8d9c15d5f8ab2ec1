import { rawPathOf } from '../../bytes/ids.ts';
import type { Clock } from '../../clock/clock.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { ArchiveWork, FetchWork, LogDriver } from '../log.ts';
import { named } from '../named.ts';
import type { Lacking } from '../probe.ts';
import type { Rehearsal } from '../rehearsal.ts';
import type { LogPosition, OpenedSource, Source, Surroundings, WalkOptions } from '../source.ts';
import { lsnText } from './lsn.ts';
import { openSetup } from './open-setup.ts';
import { openLogical } from './logical/open.ts';
import type { PostgresOptions } from './options.ts';
import { recoveryOf } from './recovery.ts';

/**
 * A cluster of databases as a whole: what stands in its data directory, and its configuration. The driver's packages are
 * loaded with the first component of its kind.
 */
export function openPostgres(options: PostgresOptions, surroundings: Surroundings): OpenedSource {
  const { component, readSecret, clock, method = 'physical' } = surroundings;
  if (method === 'logical') return openLogical(options, surroundings);
  if (method !== 'physical')
    throw new HoldfastError(
      'unsupported',
      `${component}: PostgreSQL has no method ${method}; physical and logical are there`,
    );
  let position: LogPosition | undefined;
  const source: Source = {
    position: () => position,
    async *entries(walk) {
      try {
        const { backUpCluster } = await import('./cluster.ts');
        const url = (await readSecret(options.url, walk.signal)).reveal();
        const primary = options.primary && (await readSecret(options.primary, walk.signal)).reveal();
        const onPosition = (at: LogPosition): void => void (position = at);
        yield* backUpCluster({ ...options, url, primary, component, clock, onPosition }, walk);
      } catch (error) {
        walk.signal.throwIfAborted();
        throw named(component, error, walk.signal);
      }
    },
  };
  const probe = async ({ signal }: Pick<WalkOptions, 'signal'>): Promise<readonly Lacking[]> => {
    try {
      const { askCluster } = await import('./cluster.ts');
      const url = (await readSecret(options.url, signal)).reveal();
      await askCluster({ ...options, url, clock }, signal);
      return [];
    } catch (error) {
      if (!(error instanceof HoldfastError) || signal.aborted) throw error;
      return [{ what: 'the PostgreSQL server', reason: error.message }];
    }
  };
  let loaded: Promise<Rehearsal> | undefined;
  const load = (): Promise<Rehearsal> => (loaded ??= loadRehearsal(component, options, clock));
  const rehearsal: Rehearsal = {
    folder: 'restored',
    bringUp: async (...given) => await (await load()).bringUp(...given),
    ask: async (sandbox, brought, depth) => await (await load()).ask(sandbox, brought, depth),
  };
  const log: LogDriver = {
    positionText: lsnText,
    archive: async (work) => await archive(work),
    fetch: async (work) => await fetchLog(work),
    fetchAhead: async (work) => await (await import('./archive/fetch-ahead.ts')).fetchAhead(work),
    stream: async (work, how) => {
      try {
        const { followLog } = await import('./stream/follow.ts');
        await followLog(work, how, async (signal) => (await readSecret(options.url, signal)).reveal());
      } catch (error) {
        work.signal.throwIfAborted();
        throw named(component, error, work.signal);
      }
    },
  };
  const setup = openSetup(options, surroundings);
  const recovery = recoveryOf(component, options);
  return { source, paths: [rawPathOf(`/${component}`)], excludes: [], probe, rehearsal, setup, log, recovery };
}

async function archive(work: ArchiveWork): Promise<void> {
  try {
    const { archiveFiles } = await import('./archive/worker.ts');
    await archiveFiles(work);
  } catch (error) {
    throw named(work.component, error, work.signal);
  }
}

async function fetchLog(work: FetchWork): Promise<'delivered' | 'absent'> {
  try {
    const { fetchFile } = await import('./archive/get.ts');
    return await fetchFile(work);
  } catch (error) {
    throw named(work.component, error, work.signal);
  }
}

async function loadRehearsal(component: string, { programs }: PostgresOptions, clock: Clock): Promise<Rehearsal> {
  const { rehearseCluster } = await import('./rehearse.ts');
  return rehearseCluster({ component, programs, clock });
}

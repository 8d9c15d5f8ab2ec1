import { rawPathOf } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { OpenedSource, Surroundings } from '../source.ts';
import { openArchiving } from './archive/open.ts';
import { openExtraction } from './extract/open.ts';
import { openLogical } from './logical/open.ts';
import { lsnText } from './lsn.ts';
import { openCluster } from './open-cluster.ts';
import type { PostgresOptions } from './options.ts';
import { openRehearsal } from './proof/open.ts';
import { openRecovery } from './recover/open.ts';
import { openSetup } from './setup/open.ts';
import { ancestryIn } from './stream/history.ts';
import { openStreaming } from './stream/open.ts';

/**
 * A cluster of databases as a whole: what stands in its data directory, and its configuration. The driver's packages are
 * loaded with the first component of its kind, and what a capability takes when it is used.
 */
export function openPostgres(options: PostgresOptions, surroundings: Surroundings): OpenedSource {
  const { component, method = 'physical' } = surroundings;
  if (method === 'logical') return openLogical(options, surroundings);
  if (method !== 'physical')
    throw new HoldfastError(
      'unsupported',
      `${component}: PostgreSQL has no method ${method}; physical and logical are there`,
    );
  return {
    ...openCluster(options, surroundings),
    paths: [rawPathOf(`/${component}`)],
    excludes: [],
    rehearsal: openRehearsal(options, surroundings),
    setup: openSetup(options, surroundings),
    log: { positionText: lsnText, ancestry: ancestryIn, ...openArchiving(), ...openStreaming(options, surroundings) },
    recovery: openRecovery(options, surroundings),
    extraction: openExtraction(options, surroundings, 'cluster'),
  };
}

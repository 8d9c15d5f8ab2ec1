import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { reasonOf } from '../../host/system-error.ts';

/** By its path in a data directory: a worker has stored the log of this cluster from there. No new cluster has it. */
export function clusterMark(systemIdentifier: string): string {
  return `pg_wal/.holdfast-${systemIdentifier}`;
}

export function markCluster(dataDirectory: string, systemIdentifier: string): void {
  const path = join(dataDirectory, clusterMark(systemIdentifier));
  try {
    writeFileSync(path, '', { mode: 0o600 });
  } catch (cause) {
    throw new HoldfastError('refused', `${path} can’t be written: ${reasonOf(cause)}`, { cause });
  }
}

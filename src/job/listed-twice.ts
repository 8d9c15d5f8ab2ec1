import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * A listing that left something out would cost all that it alone needs or names: so the storage is asked twice.
 * 'storage-failed' when it now tells of something that is not in `seen`.
 */
export async function assertAllSeen(
  repository: Repository,
  kind: 'snapshots' | 'index',
  seen: ReadonlySet<FileId>,
): Promise<void> {
  for await (const { id } of repository.list(kind)) {
    if (seen.has(id)) continue;
    const what = kind === 'index' ? 'index' : 'snapshot';
    const message = `${repository.storage.url} lists the ${what} ${id}, which it left out before, or which came meanwhile: nothing was changed`;
    throw new HoldfastError('storage-failed', message);
  }
}

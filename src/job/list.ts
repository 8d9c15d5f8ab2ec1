import type { BlobId, FileId } from '../bytes/ids.ts';
import type { BlobType } from '../repository/index.ts';
import type { FileKind } from '../repository/repository.ts';
import { inRepository, type JobContext } from './job.ts';

/** Calls `found` for each file of a kind, in no order. Locks are listed without taking one. */
export async function listFiles(context: JobContext, kind: FileKind, found: (id: FileId) => void): Promise<void> {
  const unlocked = { ...context, access: { ...context.access, locking: 'none' } } as const;
  await inRepository(kind === 'locks' ? unlocked : context, 'read', async (repository, signal) => {
    for await (const { id } of repository.list(kind, { signal })) found(id);
  });
}

/** Calls `found` for each blob that an index names. */
export async function listBlobs(context: JobContext, found: (type: BlobType, id: BlobId) => void): Promise<void> {
  await inRepository(context, 'read', async (repository) => {
    await repository.loadIndex(context.listener);
    for (const { type, id } of repository.index.all()) found(type, id);
  });
}

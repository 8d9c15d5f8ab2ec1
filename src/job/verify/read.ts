import type { BlobId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Blobs } from '../../repository/blob-set.ts';
import type { BlobLocation } from '../../repository/index.ts';
import type { Repository } from '../../repository/repository.ts';
import { checkTrees } from '../../snapshot/check.ts';
import type { JobContext } from '../job.ts';

/**
 * Everything that a tree needs is in the index, and packs that hold it are in the storage with at least the bytes that
 * the index says. Resolves with what it needs; throws 'damaged' or 'blob-missing'.
 */
export async function assertStructure(repository: Repository, tree: BlobId, context: JobContext): Promise<Blobs> {
  const { findings, used } = await checkTrees(repository, [{ tree }], context);
  const [first] = findings;
  if (first !== undefined) {
    // A storage that didn't answer says nothing of the tree: its own error is thrown then.
    if (first.kind === 'tree-unreadable') await repository.readBlob('tree', first.id);
    const code = first.kind === 'blob-missing' ? 'blob-missing' : 'damaged';
    throw new HoldfastError(
      code,
      findings.length === 1 ? first.message : `${first.message}, and ${findings.length - 1} more`,
    );
  }
  await assertPacks(repository, used, context.signal);
  return used;
}

async function assertPacks(repository: Repository, used: Blobs, signal: AbortSignal): Promise<void> {
  const listed = await Array.fromAsync(repository.list('data', { signal }));
  const sizes = new Map(listed.map(({ id, sizeBytes }) => [id, sizeBytes]));
  const isThere = ({ pack, offset, length }: BlobLocation): boolean => (sizes.get(pack) ?? 0) >= offset + length;
  for (const location of repository.index.all()) {
    const { type, id, pack } = location;
    if (!used.has(type, id) || isThere(location) || repository.index.locations(type, id).some(isThere)) continue;
    throw new HoldfastError(
      'damaged',
      `the pack ${pack.slice(0, 8)}, which holds a ${type} blob, is missing or too short`,
    );
  }
}

/** A batch at a time: promises of millions of blobs would take memory of their own. */
const batch = 16;

/** Reads, decrypts and hashes every blob of data. */
export async function assertData(repository: Repository, used: Blobs, { listener, signal }: JobContext): Promise<void> {
  let reading: Promise<unknown>[] = [];
  let doneItems = 0;
  for (const { type, id } of repository.index.all()) {
    if (type !== 'data' || !used.has(type, id)) continue;
    reading.push(repository.readBlob(type, id));
    if (reading.length < batch) continue;
    await Promise.all(reading);
    doneItems += reading.length;
    reading = [];
    signal.throwIfAborted();
    listener({ kind: 'progress', phase: 'reading data', doneBytes: 0, doneItems });
  }
  await Promise.all(reading);
}

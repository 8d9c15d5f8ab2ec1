import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { Blobs } from '../blob-set.ts';
import type { BlobIndex } from '../index.ts';
import { keyOf } from '../layout.ts';
import type { Repository } from '../repository.ts';

/**
 * Outgoing packs with a blob that is needed and stands in no pack of the index; of several such packs one. Their bytes.
 * What no index names (`named`) is asked for: another prune may have deleted it, and then it helps nobody.
 */
export async function neededPacks(
  { storage, index, outgoing }: Repository,
  needed: Pick<Blobs, 'has'>,
  named: ReadonlySet<FileId>,
): Promise<ReadonlyMap<FileId, number>> {
  const gone = new Set<FileId>();
  const kept = new Set<FileId>();
  for (const { type, id, pack } of outgoing.all()) {
    if (kept.has(pack) || gone.has(pack) || !needed.has(type, id) || index.has(type, id)) continue;
    if (outgoing.locations(type, id).some((place) => kept.has(place.pack))) continue;
    const isThere = named.has(pack) || (await exists(storage, pack));
    (isThere ? kept : gone).add(pack);
  }
  return bytesOf(outgoing, kept);
}

async function exists(storage: Repository['storage'], pack: FileId): Promise<boolean> {
  try {
    await storage.stat(keyOf('data', pack));
    return true;
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return false;
    throw error;
  }
}

function bytesOf(outgoing: BlobIndex, packs: ReadonlySet<FileId>): ReadonlyMap<FileId, number> {
  const bytes = new Map<FileId, number>();
  if (packs.size === 0) return bytes;
  for (const { pack, length } of outgoing.all()) {
    if (packs.has(pack)) bytes.set(pack, (bytes.get(pack) ?? 0) + length);
  }
  return bytes;
}

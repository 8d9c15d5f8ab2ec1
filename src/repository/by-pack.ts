import type { FileId } from '../bytes/ids.ts';
import type { BlobIndex } from './index.ts';
import type { PackedBlob } from './pack.ts';

/** As many blobs as are held as objects at once: some 200 bytes each. */
const blobsPerPass = 500_000;

/**
 * The blobs of each wanted pack, by offset. The index knows them by ID alone, so it is walked several times, each
 * time for a share of the packs: that bounds the memory.
 */
export function* blobsByPack(
  index: BlobIndex,
  wanted: ReadonlySet<FileId>,
): Generator<readonly [FileId, readonly PackedBlob[]]> {
  const passes = Math.min(256, Math.ceil(index.size / blobsPerPass));
  for (let pass = 0; pass < passes; pass += 1) {
    const share = new Map<FileId, PackedBlob[]>();
    for (const { pack, ...blob } of index.all()) {
      if (firstByte(pack) % passes !== pass || !wanted.has(pack)) continue;
      const blobs = share.get(pack);
      if (blobs) blobs.push(blob);
      else share.set(pack, [blob]);
    }
    for (const [pack, blobs] of share) yield [pack, blobs.sort((a, b) => a.offset - b.offset)];
  }
}

/** Of an ID: evenly spread, as hashes are. */
export function firstByte(id: FileId): number {
  return Number.parseInt(id.slice(0, 2), 16);
}

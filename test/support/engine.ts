import { rawPathOf, type BlobId } from '../../src/bytes/ids.ts';
import { systemClock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import { createRepository } from '../../src/repository/create.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { archive } from '../../src/snapshot/archive.ts';
import { decodeTree } from '../../src/snapshot/tree.ts';
import { filesSource } from '../../src/source/files.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { writerOptions } from './pipeline.ts';

/** A key that costs nothing to derive. */
export const cheapKey = { hostname: 'host', username: 'ann', password: 'secret', kdf: { N: 2, r: 1, p: 1 } };

export async function newRepository(storage: Storage = new MemoryStorage()): Promise<Repository> {
  return await createRepository({ storage, clock: systemClock, key: cheapKey, version: 2 });
}

/** Archives a folder; stored, indexed and returned is the tree of its children. */
export async function archiveFolder(repository: Repository, folder: string): Promise<BlobId> {
  const { signal } = new AbortController();
  const source = filesSource({
    targets: [rawPathOf(folder)],
    excludes: { patterns: [], caseInsensitivePatterns: [], ifPresent: [], fileSystems: 'all', folders: [] },
    atime: 'as-mtime',
    clock: systemClock,
  });
  await using writer = await repository.openWriter(writerOptions());
  const { tree } = await archive({
    repository,
    writer,
    entries: source.entries({ listener: silent, signal }),
    detection: { mode: 'read-all', ctime: 'compared', inode: 'compared' },
    timeNs: 0n,
    clock: systemClock,
    listener: silent,
    notes: 'none',
    signal,
  });
  await writer.flush();
  await repository.loadIndex(silent);
  return await subtree(repository, tree, folder);
}

async function subtree(repository: Repository, root: BlobId, folder: string): Promise<BlobId> {
  let tree = root;
  for (const name of folder.split('/').filter((part) => part !== '')) {
    const nodes = [...decodeTree(await repository.readBlob('tree', tree))];
    tree = nodes.find((node) => node.name === name)?.subtree ?? tree;
  }
  return tree;
}

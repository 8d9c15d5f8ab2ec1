import { createHash } from 'node:crypto';
import type { Inventory } from '../../scripts/first-backup/inventory.ts';
import { rawPathOf, type BlobId, type FileId } from '../../src/bytes/ids.ts';
import { systemClock, type Clock } from '../../src/clock/clock.ts';
import { silent } from '../../src/events/events.ts';
import { backup, type BackupOutcome } from '../../src/job/backup.ts';
import type { JobContext } from '../../src/job/job.ts';
import { checkStructure, type CheckOptions } from '../../src/repository/check.ts';
import { loadReadableIndex } from '../../src/job/readable-index.ts';
import { restoreToFolder } from '../../src/job/restore.ts';
import { createRepository } from '../../src/repository/create.ts';
import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { archive } from '../../src/snapshot/archive.ts';
import { checkTrees } from '../../src/snapshot/check.ts';
import { selectAll, type RestoreOutcome } from '../../src/snapshot/restore.ts';
import { anySnapshot, listSnapshots, loadSnapshot } from '../../src/snapshot/snapshots.ts';
import { decodeTree } from '../../src/snapshot/tree.ts';
import { walkTree } from '../../src/snapshot/walk.ts';
import { filesSource } from '../../src/source/files.ts';
import type { Source } from '../../src/source/source.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { impatientClock } from './impatient-clock.ts';
import { writerOptions } from './pipeline.ts';
import { noExcludes } from './walked.ts';

/** A key that costs nothing to derive. */
export const cheapKey = { hostname: 'host', username: 'ann', password: 'secret', kdf: { N: 2, r: 1, p: 1 } };

export async function newRepository(storage: Storage = new MemoryStorage()): Promise<Repository> {
  return await createRepository({ storage, clock: systemClock, key: cheapKey, version: 2 });
}

/** Archives a folder; stored, indexed and returned is the tree of its children. */
export async function archiveFolder(repository: Repository, folder: string): Promise<BlobId> {
  const { signal } = new AbortController();
  const source = sourceOf(folder);
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

function sourceOf(folder: string): Source {
  return filesSource({ targets: [rawPathOf(folder)], excludes: noExcludes, atime: 'as-mtime', clock: systemClock });
}

/** A backup of a folder, as the command makes it. */
export async function backupFolder(context: JobContext, folder: string): Promise<BackupOutcome> {
  return await backupSource(context, sourceOf(folder), folder);
}

export async function backupSource(context: JobContext, source: Source, path = '/component'): Promise<BackupOutcome> {
  const { signal: _signal, ...writer } = writerOptions();
  return await backup(context, {
    source,
    paths: [rawPathOf(path)],
    parent: { kind: 'latest', groupBy: { host: true, paths: true, tags: false } },
    detection: { mode: 'metadata', ctime: 'compared', inode: 'compared' },
    snapshot: {
      ...{ hostname: 'host', username: 'ann', uid: 0, gid: 0 },
      ...{ tags: [], excludes: [], programVersion: 'holdfast test' },
    },
    writer,
    whenUnchanged: 'save',
    scan: 'none',
    notes: 'none',
  });
}

/** Everything of a snapshot, below a folder. */
export async function restoreSnapshot(context: JobContext, id: FileId, target: string): Promise<RestoreOutcome> {
  return await restoreToFolder(context, {
    name: id,
    find: { filter: anySnapshot, now: Temporal.Now.zonedDateTimeISO() },
    target: rawPathOf(target),
    restore: {
      ...{ overwrite: 'always', select: selectAll, extras: 'keep', mode: 'write', holes: 'dense', verify: 'no' },
      selectXattr: 'all',
    },
  });
}

/** The hash of each file's content, by its path below a folder. */
export type Contents = ReadonlyMap<string, string>;

/** What a snapshot holds of a folder, read blob by blob. */
export async function contentsOf(context: JobContext, id: FileId, folder: string): Promise<Contents> {
  const found = new Map<string, string>();
  await using repository = await context.access.open();
  const { tree } = await loadSnapshot(repository, id);
  await loadReadableIndex(repository, silent);
  for await (const item of walkTree(repository, await subtree(repository, tree, folder))) {
    if (item.kind === 'unreadable') throw item.error;
    if (item.node.type !== 'file') continue;
    const hash = createHash('sha256');
    for (const blob of item.node.content ?? []) hash.update(await repository.readBlob('data', blob));
    found.set(item.path, hash.digest('hex'));
  }
  return found;
}

export function contentsIn(inventory: Inventory): Contents {
  return new Map(
    [...inventory].flatMap(([path, { content }]) => (content === undefined ? [] : [[path, content] as const])),
  );
}

/** What a job needs to work on a storage, with short waits. */
export function jobContext(storage: Storage, clock: Clock = impatientClock): JobContext {
  return {
    access: {
      open: async () => await openRepository({ storage, clock, password: cheapKey.password }),
      holder: { hostname: 'host', username: 'ann', pid: process.pid, uid: 0, gid: 0 },
      locking: { retryMs: 0 },
    },
    clock,
    signal: new AbortController().signal,
    listener: silent,
  };
}

/** What a thorough check says: every error, and the snapshots, oldest first. */
export interface Health {
  readonly findings: readonly string[];
  readonly snapshots: readonly FileId[];
  /** Theirs, in the same order. */
  readonly trees: readonly BlobId[];
}

/** Reads every index, snapshot, tree and blob. Locks are not asked for. */
export async function examine(storage: Storage): Promise<Health> {
  const { signal } = new AbortController();
  const findings: string[] = [];
  const options: CheckOptions = {
    report: ({ severity, message }) => void (severity === 'error' && findings.push(message)),
    listener: silent,
    signal,
  };
  const opened = await openRepository({ storage, clock: impatientClock, password: cheapKey.password });
  const found = await listSnapshots(opened);
  const snapshots = found.flatMap((one) => ('snapshot' in one ? [one.snapshot] : []));
  findings.push(...found.flatMap((one) => ('error' in one ? [String(one.error)] : [])));
  const checked = await checkStructure(opened, options);
  const trees = await checkTrees(checked.repository, snapshots, { listener: silent, signal });
  findings.push(...trees.findings.map(({ message }) => message));
  await checked.readData({ kind: 'all' }, { ...options, random: Math.random });
  return { findings, snapshots: snapshots.map(({ id }) => id), trees: snapshots.map(({ tree }) => tree) };
}

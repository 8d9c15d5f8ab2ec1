import { rawPathOfByteString, type BlobId, type FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import { TreeRepair, type TreeChange } from './repair/tree-repair.ts';
import type { Snapshot, SnapshotFields } from './snapshot.ts';
import { saveSnapshot } from './snapshots.ts';

export type { TreeChange } from './repair/tree-repair.ts';

/** What a repair of snapshots is going to do: nothing else is done. Made under the exclusive lock. */
export interface RepairSnapshotsPlan {
  /** Snapshots that have lost something, each with all that it has lost. */
  readonly repairs: readonly SnapshotRepair[];
  /** How many have lost nothing. */
  readonly whole: number;
  /** Trees to be stored, by ID. */
  readonly trees: ReadonlyMap<BlobId, Uint8Array>;
}

export interface SnapshotRepair {
  readonly snapshot: Snapshot;
  /** Undefined: nothing of the snapshot can be read. */
  readonly tree: BlobId | undefined;
  readonly changes: readonly TreeChange[];
  /** A repair that was done before, or cut off after it. */
  readonly repairedAs: FileId | undefined;
}

export interface RepairSnapshotsOptions {
  /** 'forget': the snapshots that were repaired go, and those of which nothing can be read. */
  readonly originals: 'keep' | 'forget';
  readonly writer: WriterOptions;
  /** Told of each repaired snapshot that is there now. */
  readonly onSaved: (snapshot: Snapshot, id: FileId) => void;
}

/** The tag of a repaired copy whose original stays, as restic's. */
const repairedTag = 'repaired';

/** Finds what snapshots have lost, with the index loaded; changes nothing. What no index names counts as lost. */
export async function planSnapshotRepair(
  repository: Pick<Repository, 'index' | 'readBlob'>,
  snapshots: readonly Snapshot[],
  {
    listener,
    signal,
    present,
  }: { readonly listener: Listener; readonly signal: AbortSignal; readonly present: readonly Snapshot[] },
): Promise<RepairSnapshotsPlan> {
  const repair = new TreeRepair(repository, signal);
  const repairs: SnapshotRepair[] = [];
  for (const [at, snapshot] of snapshots.entries()) {
    const repaired = await repair.repair(snapshot.tree);
    const changes = (repaired?.changes ?? [{ path: rawPathOfByteString(''), kind: 'folder emptied' }]).map(fromRoot);
    const repairedAs = present.find(({ original, tree }) => original === snapshot.id && tree === repaired?.tree)?.id;
    if (changes.length > 0) repairs.push({ snapshot, tree: repaired?.tree, changes, repairedAs });
    const phase = 'reading trees';
    listener({ kind: 'progress', phase, doneBytes: 0, doneItems: at + 1, totalItems: snapshots.length });
  }
  return { repairs, whole: snapshots.length - repairs.length, trees: repair.made };
}

function fromRoot({ path, kind }: TreeChange): TreeChange {
  return { path: rawPathOfByteString(`/${path}`), kind };
}

/** Trees, index, new snapshots, and only then the old ones go: a crash in between leaves both. */
export async function executeSnapshotRepair(
  repository: Repository,
  { repairs, trees }: RepairSnapshotsPlan,
  options: RepairSnapshotsOptions,
): Promise<void> {
  const due = repairs.filter(({ tree, repairedAs }) => tree !== undefined && repairedAs === undefined);
  if (due.length > 0) {
    await using writer = await repository.openWriter(options.writer);
    for (const json of trees.values()) {
      await writer.ready();
      await writer.storeTree(json);
    }
    await writer.flush();
  }
  for (const { snapshot, tree, repairedAs } of repairs) {
    options.writer.signal.throwIfAborted();
    if (tree !== undefined && repairedAs === undefined) {
      options.onSaved(snapshot, await saveSnapshot(repository, repairedCopy(snapshot, tree, options.originals)));
    }
    if (options.originals === 'forget') await repository.removeFile('snapshots', snapshot.id);
  }
}

function repairedCopy(snapshot: Snapshot, tree: BlobId, originals: 'keep' | 'forget'): SnapshotFields {
  if (tree === snapshot.tree) throw new HoldfastError('internal', 'a repaired tree equals the damaged one');
  const tags = originals === 'forget' ? snapshot.tags : [...new Set([...snapshot.tags, repairedTag])];
  const { id, timeNs: _timeNs, ...fields } = snapshot;
  return { ...fields, tree, tags, original: id };
}

import type { BlobId, RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { ArchiveFormat } from './dump/format.ts';
import { contentOf, dumpSteps } from './dump/steps.ts';
import { TarFormat } from './dump/tar.ts';
import { ZipFormat } from './dump/zip.ts';
import type { TreeNode } from './entry.ts';
import type { TreeReader } from './walk.ts';

export interface DumpOptions {
  /** Gets a warning for what the format can't hold. */
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** A file's bytes, in order. 'refused' when the node is no file. */
export async function* dumpFile(
  reader: TreeReader,
  node: TreeNode,
  { signal }: DumpOptions,
): AsyncGenerator<Uint8Array, void> {
  if (node.type !== 'file') throw new HoldfastError('refused', `it is no file, but of type ${node.type}`);
  for await (const bytes of contentOf(reader, node)) {
    signal.throwIfAborted();
    yield bytes;
  }
}

export interface FolderToDump {
  readonly tree: BlobId;
  /** From the snapshot's root; the names in the archive begin with it. */
  readonly path: RawPath;
  readonly format: 'tar' | 'zip';
}

/**
 * Everything below a folder as an archive: files, folders and links, as restic does. A tar has times to the
 * nanosecond, extended attributes and ACLs. Fails on the first thing that can't be read: an archive that lacks
 * something must not look whole.
 */
export async function* dumpFolder(
  reader: TreeReader,
  folder: FolderToDump,
  options: DumpOptions,
): AsyncGenerator<Uint8Array, void> {
  const format: ArchiveFormat = folder.format === 'tar' ? new TarFormat(options.listener) : new ZipFormat();
  for await (const step of dumpSteps(reader, folder, options.signal)) {
    if (step.kind === 'entry') yield* format.entry(step.path, step.node);
    else if (step.kind === 'data') yield* await format.data(step.bytes);
    else yield* await format.endOfEntry();
  }
  yield* format.finish();
}

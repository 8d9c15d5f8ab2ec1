import type { BigIntStats } from 'node:fs';
import { displayPath, rawPathOf, type RawPath } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { Directory } from '../host/directory.ts';
import { errorCode, reasonOf } from '../host/system-error.ts';
import type { Entry } from '../snapshot/entry.ts';
import { excludesOf, type ExcludeOptions } from './files/excludes.ts';
import { metadataOf } from './files/metadata.ts';
import { inSlices } from './files/slices.ts';
import { targetTree } from './files/target-tree.ts';
import { walk, type Found } from './files/walk.ts';
import type { Source, WalkOptions } from './source.ts';

export { cacheTag, type ExcludeOptions } from './files/excludes.ts';

export interface FilesOptions {
  /** As the user named them; where they go in the snapshot is restic's rule. */
  readonly targets: readonly RawPath[];
  readonly excludes: ExcludeOptions;
  /** 'as-mtime' unless --with-atime. */
  readonly atime: 'as-mtime' | 'kept';
  readonly clock: Clock;
  /** What relative targets start from; this process's own folder unless given. */
  readonly folder?: RawPath;
}

/**
 * Files, folders and whatever else stands in a file system; sockets are left out, as restic does. Entries are what
 * the system says when the walk gets there; a file that can't be opened is noticed by whoever reads its content.
 */
export function filesSource(options: FilesOptions): Source {
  return {
    entries: (walkOptions) => entries(options, walkOptions),
    measure: (walkOptions) => measure(options, walkOptions),
  };
}

function entries(options: FilesOptions, { listener, signal }: WalkOptions): AsyncIterable<Entry> {
  const warn = (path: RawPath, message: string): void =>
    listener({ kind: 'warning', during: 'scan', item: displayPath(path), message });
  let count = 0;
  const describe = (found: Found): Entry | undefined => {
    const entry = entryOf(found, options.atime, warn);
    if (entry !== undefined) count += 1;
    return entry;
  };
  const unread = (path: RawPath, reason: string): void => warn(path, `left out: ${reason}`);
  const onEnd = (): void => {
    if (count === 0) throw new HoldfastError('source-failed', 'nothing was left to back up');
  };
  return inSlices(() => startWalk(options, listener, { describe, unread }), { clock: options.clock, signal, onEnd });
}

async function measure(options: FilesOptions, { signal }: WalkOptions): Promise<{ files: number; bytes: number }> {
  const total = { files: 0, bytes: 0 };
  const quiet: Listener = () => undefined; // the walk that counts tells it all
  const start = (): Iterator<BigIntStats | undefined, void> =>
    startWalk(options, quiet, { describe: ({ stat }) => stat, unread: () => undefined });
  for await (const stat of inSlices(start, { clock: options.clock, signal })) {
    if (!stat.isFile()) continue;
    total.files += 1;
    total.bytes += Number(stat.size);
  }
  return total;
}

interface Handlers<Result> {
  readonly describe: (found: Found) => Result | undefined;
  readonly unread: (path: RawPath, reason: string) => void;
}

function startWalk<Result>(
  { targets, excludes, folder = rawPathOf(process.cwd()) }: FilesOptions,
  listener: Listener,
  handlers: Handlers<Result>,
): Generator<Result | undefined, void, void> {
  try {
    const tree = targetTree(targets, namesIn);
    return walk({ tree, excludes: excludesOf(excludes, targets, folder, listener), folder, ...handlers });
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new HoldfastError('source-failed', `a target can't be read: ${reasonOf(error)}`, { cause: error });
  }
}

function namesIn(folder: RawPath): readonly RawPath[] {
  using directory = Directory.open(folder);
  return directory.names();
}

function entryOf(
  found: Found,
  atime: 'as-mtime' | 'kept',
  warn: (path: RawPath, message: string) => void,
): Entry | undefined {
  const { path, snapshotPath, stat, above } = found;
  const xattrs = above ? 'as-none-when-denied' : 'needed';
  const metadata = metadataOf(path, stat, { atime, xattrs, missing: (message) => warn(path, message) });
  if (metadata.type === 'irregular') {
    warn(path, 'left out: of a type that has no place in a snapshot');
    return undefined;
  }
  if (metadata.type !== 'file') return { path: snapshotPath, metadata, content: { kind: 'none' } };
  return { path: snapshotPath, metadata, content: { kind: 'file', path, sizeBytes: metadata.sizeBytes, cut: 'rabin' } };
}

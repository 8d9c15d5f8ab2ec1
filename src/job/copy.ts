import type { BlobId, FileId } from '../bytes/ids.ts';
import { failingAt, type HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import { executeCopy, planCopy, type CopyPlan, type FromTo, type CopyOutcome as Copied } from '../snapshot/copy.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { findSnapshots, listSnapshots, type FindOptions, type Found } from '../snapshot/snapshots.ts';
import { makeImmutable } from './immutable.ts';
import { loadIndexToStore } from './index-to-store.ts';
import { inRepository, type JobContext, type Locked, type RepositoryAccess } from './job.ts';
import { thawPacks } from './thaw.ts';

export interface CopyJobOptions extends FindOptions {
  /** Where the snapshots are. */
  readonly from: RepositoryAccess;
  /** What the two are called: whichever fails is named by the error. */
  readonly places: { readonly from: string; readonly to: string };
  /** Of the source; all that the filter lets through when none is named. */
  readonly names: readonly string[];
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  /** Told what is going to happen, before it does. */
  readonly onPlan: (plan: CopyPlan) => void;
  readonly onCopied: (snapshot: Snapshot, id: FileId) => void;
  /** The folder of all caches, where it is remembered what is locked. */
  readonly lockMemory?: string | undefined;
}

export interface CopyOutcome extends Copied {
  /** Snapshot files of the source that can't be read, each told by a warning. */
  readonly unreadable: number;
  /** Until then nothing of the copies can be removed, where the target locks what is stored. */
  readonly immutableUntilNs?: bigint;
}

/** Copies snapshots into the context's repository, beside whoever else works with either of the two. */
export async function copy(context: JobContext, options: CopyJobOptions): Promise<CopyOutcome> {
  const reading = { ...context, access: options.from };
  const { from, to } = options.places;
  const intoTarget: Locked<CopyOutcome> = async (source, signal) =>
    await inRepository({ ...context, signal }, options.mode === 'dry-run' ? 'read' : 'write', async (target, both) =>
      copyLocked({ source, target }, { ...context, signal: both }, options),
    );
  return await failingAt(from, async () =>
    inRepository(reading, 'read', async (...given) => await failingAt(to, async () => await intoTarget(...given))),
  );
}

/** Snapshots are listed before the indexes are read: what they need is in these. */
async function copyLocked(repositories: FromTo, context: JobContext, options: CopyJobOptions): Promise<CopyOutcome> {
  const { listener, signal } = context;
  const { source, target } = repositories;
  warnOfOtherCuts(repositories, listener);
  const atSource = async <T>(part: () => Promise<T>): Promise<T> => await failingAt(options.places.from, part);
  const { wanted, unreadable } = await atSource(async () => await wantedOf(source, options, listener));
  // One that can't be read might be a copy that is wanted: it is made once more then.
  const present = readable(await listSnapshots(target), (name, { message }) =>
    listener({ kind: 'warning', during: 'copy', item: `snapshot ${name} of the target`, message }),
  );
  await atSource(async () => await source.loadIndex(listener));
  await loadIndexToStore(target, listener);
  const { packSizeBytes } = options.writer;
  // Of the target it asks what is in memory.
  const plan = await atSource(
    async () => await planCopy(repositories, { wanted, present, packSizeBytes, listener, signal }),
  );
  options.onPlan(plan);
  await atSource(async () => await thawPacks(source, context, { packs: async () => plan.packs, mode: options.mode }));
  if (options.mode === 'dry-run') return { copied: 0, lost: plan.lost, blobs: 0, storedBytes: 0, unreadable };
  const writer = { ...options.writer, signal, mode: 'store' } as const;
  const made: { readonly id: FileId; readonly tree: BlobId }[] = [];
  const onCopied: CopyJobOptions['onCopied'] = (snapshot, id) => {
    made.push({ id, tree: snapshot.tree });
    options.onCopied(snapshot, id);
  };
  const outcome = await executeCopy(repositories, plan, { writer, listener, onCopied });
  const rooted = { snapshots: made.map(({ id }) => id), trees: made.map(({ tree }) => tree) };
  // What a copy shares with older ones was locked when those came.
  const retained = made.length === 0 ? undefined : await makeImmutable(target, rooted, context, options.lockMemory);
  const until = retained && { immutableUntilNs: retained.untilNs };
  return { ...outcome, lost: [...plan.lost, ...outcome.lost], unreadable, ...until };
}

/** Snapshots that are named have to be readable; of others it is told. */
async function wantedOf(
  source: Repository,
  options: CopyJobOptions,
  listener: Listener,
): Promise<{ readonly wanted: readonly Snapshot[] } & Pick<CopyOutcome, 'unreadable'>> {
  const found = await findSnapshots(source, options.names, options);
  const wanted = readable(found, (name, error) => {
    if (options.names.length > 0) throw error;
    const message = `it can't be read and is not copied: ${error.message}`;
    listener({ kind: 'warning', during: 'copy', item: `snapshot ${name}`, message });
  });
  return { wanted, unreadable: found.length - wanted.length };
}

function readable(
  found: readonly Found[],
  onUnreadable: (name: string, error: HoldfastError) => void,
): readonly Snapshot[] {
  return found.flatMap((one) => {
    if (one.kind === 'snapshot') return [one.snapshot];
    onUnreadable(one.name, one.error);
    return [];
  });
}

function warnOfOtherCuts({ source, target }: FromTo, listener: Listener): void {
  if (source.config.chunkerPolynomial === target.config.chunkerPolynomial) return;
  const message =
    'it cuts files at other places than the source: copies and its own backups share no data (`init --copy-chunker-params` makes a target that does)';
  listener({ kind: 'warning', during: 'copy', item: target.storage.url, message });
}

import type { FileId, RawPath } from '../bytes/ids.ts';
import type { Event, Listener } from '../events/events.ts';
import type { Content, StoredContent } from '../repository/content.ts';
import { extentText } from '../log/names.ts';
import { preloadWriting } from '../repository/preload.ts';
import type { Repository, WriterOptions } from '../repository/repository.ts';
import { archive, archivePhase, type ArchiveOutcome, type ChangeDetection } from '../snapshot/archive.ts';
import type { BackupCounts, Snapshot } from '../snapshot/snapshot.ts';
import type { SnapshotFilter } from '../snapshot/snapshots.ts';
import type { Source } from '../source/source.ts';
import { inRepository, type JobContext } from './job.ts';
import { saveBackup, type SnapshotFacts } from './backup-snapshot.ts';
import { journalsToHeed, loadIndexToStore, pruneJournals } from './index-to-store.ts';
import { makeImmutable } from './immutable.ts';
import { cutBefore } from './cut-before.ts';
import { parentFiles } from './parent-files.ts';
import { heldBefore } from './held-before.ts';
import { findParent, type ParentChoice } from './parent.ts';

export interface BackupOptions {
  readonly source: Source;
  /** Absolute. */
  readonly paths: readonly RawPath[];
  readonly parent: ParentChoice;
  /** The backups that a source may hold what is there now against; none without it. */
  readonly before?: SnapshotFilter;
  readonly detection: ChangeDetection;
  readonly snapshot: SnapshotFacts;
  readonly writer: Omit<WriterOptions, 'signal'>;
  /** Whether a snapshot equal to its parent is written. */
  readonly whenUnchanged: 'save' | 'skip';
  /** 'measure': count what there is meanwhile, for a percentage. */
  readonly scan: 'measure' | 'none';
  /** The folder of all caches, where it is remembered what is locked. */
  readonly lockMemory?: string | undefined;
  /** Asked once all is stored, before the snapshot is written: it throws where there must be none. */
  readonly beforeSnapshot?: () => Promise<void>;
  /** Whether each item is told as a note. */
  readonly notes: 'each-item' | 'none';
}

export interface BackupOutcome {
  /** Undefined after a dry run, or when nothing changed and that was to be skipped. */
  readonly snapshot?: FileId;
  readonly parent?: FileId;
  readonly counts: BackupCounts;
  /** Where it stands in its component's log, as its tag says it. */
  readonly log?: string | undefined;
  /** Until then nothing of the snapshot can be removed, where the storage locks what is stored. */
  readonly immutableUntilNs?: bigint;
  /** Things that could not be read, or not whole; each was told as a warning. */
  readonly unread: number;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
}

/**
 * Backs a source up: packs, then index, then snapshot, so that whatever stops it leaves no snapshot that lacks
 * anything. The source is measured while the key is derived, the lock taken and the index read.
 *
 * Notes: 'parent' {parent: FileId or undefined} · 'measured' {files, bytes, seconds} · those of the archive.
 */
export async function backup(context: JobContext, options: BackupOptions): Promise<BackupOutcome> {
  const startedNs = context.clock.nowNs();
  const watch = new Watch(context.listener);
  const ended = new AbortController();
  const measuring = options.scan === 'measure' ? measure(context, options.source, watch, ended.signal) : undefined;
  const loaded = preloadWriting();
  const dry = options.writer.mode === 'dry-run';
  const access = dry ? ({ ...context.access, locking: 'none' } as const) : context.access;
  try {
    const listened = { ...context, access, listener: watch.listener };
    return await inRepository(listened, dry ? 'read' : 'write', async (repository, signal) => {
      await loaded;
      const outcome = await run(repository, { ...listened, signal }, options, startedNs);
      return { ...outcome, unread: watch.warnings };
    });
  } finally {
    ended.abort();
    await measuring;
  }
}

async function run(
  repository: Repository,
  context: JobContext,
  options: BackupOptions,
  startedNs: bigint,
): Promise<Omit<BackupOutcome, 'unread'>> {
  const { snapshot, paths, whenUnchanged, writer } = options;
  const timeNs = snapshot.timeNs ?? startedNs;
  const journals = journalsToHeed(repository, context.listener);
  journals.catch(() => undefined); // heard where the index is loaded
  const parent = await findParent(repository, options.parent, { ...snapshot, paths, timeNs });
  context.listener({ kind: 'note', name: 'parent', data: { parent: parent?.id } });
  await loadIndexToStore(repository, context.listener, journals);
  const archived = await stored(repository, context, options, { parent, timeNs });
  const endedNs = context.clock.nowNs();
  const facts = { counts: archived.counts, startedNs, endedNs, ...(parent === undefined ? {} : { parent: parent.id }) };
  const skipped = whenUnchanged === 'skip' && parent?.tree === archived.tree;
  if (writer.mode === 'dry-run') return facts;
  const { tree } = archived;
  await options.beforeSnapshot?.();
  const log = positionText(options.source);
  const told = { ...snapshot, tags: [...snapshot.tags, ...(log === undefined ? [] : [`hf.log=${log}`])] };
  const saved = skipped ? undefined : await saveBackup(repository, told, paths, { ...facts, tree, timeNs });
  // The parent stands in for a snapshot that would be the same.
  const newest = saved ?? parent?.id;
  const rooted = { snapshots: newest === undefined ? [] : [newest], trees: [tree] };
  const retained = await makeImmutable(repository, rooted, context, options.lockMemory);
  return {
    ...facts,
    log,
    ...(saved === undefined ? {} : { snapshot: saved }),
    ...(retained && { immutableUntilNs: retained.untilNs }),
  };
}

/** A tag, so that a map of the log needs no trees. */
function positionText(source: Source): string | undefined {
  const at = source.position?.();
  return at && extentText(at, at);
}

/** Everything that the tree needs is durable when it resolves. */
async function stored(
  repository: Repository,
  { clock, listener, signal }: JobContext,
  options: BackupOptions,
  { parent, timeNs }: { readonly parent: Snapshot | undefined; readonly timeNs: bigint },
): Promise<ArchiveOutcome> {
  const { source, detection, notes } = options;
  await using writer = await repository.openWriter({ ...options.writer, signal });
  if (options.source.prepare !== undefined) writer.getReady();
  const cut = parent && cutBefore(repository, parent.tree);
  const held = parent && parentFiles(repository, parent.tree);
  const before = options.before && heldBefore(repository, options.before);
  const store = async (content: Content): Promise<StoredContent> => {
    await writer.ready();
    return await writer.store(content);
  };
  const entries = source.entries({ listener, signal, heldBefore: before, cutBefore: cut, parent: held, store });
  const input = { repository, writer, entries, detection, timeNs, clock, listener, notes, signal };
  const outcome = await archive(parent === undefined ? input : { ...input, parent: parent.tree });
  await writer.flush();
  return outcome;
}

/** Hands events on; counts warnings, and adds to progress what the measuring found. */
class Watch {
  warnings = 0;
  total: { readonly files: number; readonly bytes: number } | undefined;
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  readonly listener = (event: Event): void => {
    if (event.kind === 'warning' && event.during !== pruneJournals) this.warnings += 1;
    const { total } = this;
    if (event.kind !== 'progress' || event.phase !== archivePhase || total === undefined) this.#listener(event);
    else this.#listener({ ...event, totalBytes: total.bytes, totalItems: total.files });
  };
}

/** An estimate may fail without harm: the backup itself meets what is wrong, and tells it. */
async function measure(context: JobContext, source: Source, watch: Watch, ended: AbortSignal): Promise<void> {
  const startedMs = context.clock.monotonicMs();
  try {
    const signal = AbortSignal.any([context.signal, ended]);
    const total = await source.measure?.({ listener: () => undefined, signal });
    if (total === undefined) return;
    watch.total = total;
    const seconds = (context.clock.monotonicMs() - startedMs) / 1000;
    context.listener({ kind: 'note', name: 'measured', data: { ...total, seconds } });
  } catch {
    watch.total = undefined;
  }
}

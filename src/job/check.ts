import { displayPath, type FileId } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import { checkStructure, type CheckedRepository, type Finding, type Subset } from '../repository/check.ts';
import { summarizeJournals } from '../repository/prune.ts';
import { lockReadings } from '../repository/lock-memory.ts';
import { readLocks } from '../repository/read-locks.ts';
import type { Repository } from '../repository/repository.ts';
import { affectedItems, checkTrees, type TreeFinding } from '../snapshot/check.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import type { BlobSet, Blobs } from '../repository/blob-set.ts';
import { needsOf } from './immutable.ts';
import { inRepository, type JobContext } from './job.ts';
import { thawPacks } from './thaw.ts';
import { adviceOnPutOff } from './put-off.ts';

export interface CheckJobOptions {
  /** Which snapshots' trees are walked. */
  readonly filter: SnapshotFilter;
  /** Undefined reads no data. */
  readonly data?: Subset;
  /** Whether the storage is asked until when all that the snapshots need is locked. */
  readonly locks?: 'read';
  /** The folder of all caches, where it is remembered what was read of locks. */
  readonly lockMemory?: string | undefined;
  /** 0 up to 1. */
  readonly random: () => number;
}

/** A finding as it is told, in a note 'finding': one of packs and indexes, of trees, of a key or of a snapshot. */
export interface ToldFinding {
  readonly severity: 'error' | 'hint';
  readonly code: Finding['code'] | TreeFinding['kind'] | OwnCode;
  readonly message: string;
}

type OwnCode =
  | 'key-unreadable'
  | 'snapshot-unreadable'
  /** What a prune has put off is not known (hint). */
  | 'journal-unreadable'
  /** What is missing may be in packs that a prune has put off (hint). */
  | 'packs-put-off'
  /** Something that a snapshot needs is not locked. */
  | 'not-locked'
  /** Locks are read where nothing is missing (hint). */
  | 'locks-not-read'
  | 'more';

export interface CheckOutcome {
  readonly errors: number;
  readonly hints: number;
  readonly brokenPacks: readonly FileId[];
  readonly suggestRepairIndex: boolean;
  readonly suggestPrune: boolean;
  readonly snapshots: number;
  /** What is lost of which snapshot, at most a thousand items. */
  readonly affected: readonly Affected[];
  /** How many there are in all, or at least where `moreAffected`: folders within folders can make them countless. */
  readonly affectedCount: number;
  readonly moreAffected: boolean;
  /** Where locks were read: until then nothing that the snapshots need can be removed. */
  readonly lockedUntilNs?: bigint;
}

export interface Affected {
  readonly snapshot: FileId;
  readonly path: string;
}

const mostAffected = 1000;
const mostCounted = 20_000;

/** Checks a repository: keys, index and packs, then the trees of snapshots, then the data asked for. Reads no cache. */
export async function check(context: JobContext, options: CheckJobOptions): Promise<CheckOutcome> {
  return await inRepository(context, 'check', async (repository, signal) => {
    const told = new Told(context);
    const checkOptions = { report: told.tell, listener: context.listener, signal };
    await checkKeys(repository, told);
    const checked = await checkStructure(repository, checkOptions);
    const snapshots = await readSnapshots(checked.repository, options.filter, told);
    const bad = await treesOf(checked, snapshots, { ...context, signal }, told);
    await checkJournals(checked, bad, told);
    const beforeReading = (packs: ReadonlySet<FileId>): Promise<void> =>
      thawPacks(checked.repository, { ...context, signal }, { packs: async () => packs, mode: 'execute' });
    const reading = { ...checkOptions, random: options.random, beforeReading };
    if (options.data !== undefined) await checked.readData(options.data, reading);
    for (const { type, id } of checked.brokenBlobs()) bad.add(type, id);
    const lockContext = { ...context, signal, lockMemory: options.lockMemory };
    const until = options.locks && (await checkLocks(checked.repository, snapshots, lockContext, told));
    const affected = told.errors === 0 ? nothing : await whatIsLost(checked.repository, snapshots, bad, signal);
    const outcome = outcomeOf(checked, told, snapshots.length, affected);
    return until === undefined ? outcome : { ...outcome, lockedUntilNs: until };
  });
}

/** Counts findings and hands them on. */
class Told {
  errors = 0;
  hints = 0;
  readonly #context: JobContext;

  constructor(context: JobContext) {
    this.#context = context;
  }

  readonly tell = ({ severity, code, message }: ToldFinding): void => {
    if (severity === 'error') this.errors += 1;
    else this.hints += 1;
    this.#context.listener({ kind: 'note', name: 'finding', data: { severity, code, message } });
  };

  /** Errors that are too many to be told one by one. */
  more(count: number): void {
    if (count === 0) return;
    this.errors += count - 1;
    this.tell({ severity: 'error', code: 'more', message: `${count} more errors in trees are counted and not told` });
  }
}

/** Whoever has only the password of a damaged key is locked out. */
async function checkKeys({ keys }: Repository, told: Told): Promise<void> {
  await keys.list((id, error) => {
    if (!hasCode(error, 'damaged')) return;
    told.tell({ severity: 'error', code: 'key-unreadable', message: `key ${id} can't be read: ${error.message}` });
  });
}

async function readSnapshots(repository: Repository, filter: SnapshotFilter, told: Told): Promise<readonly Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (const found of await listSnapshots(repository, filter)) {
    if (found.kind === 'snapshot') snapshots.push(found.snapshot);
    else
      told.tell({
        severity: 'error',
        code: 'snapshot-unreadable',
        message: `snapshot ${found.name} can't be read: ${found.error.message}`,
      });
  }
  return snapshots;
}

/** The blobs that trees need and that can't be had. */
async function treesOf(
  { repository }: CheckedRepository,
  snapshots: readonly Snapshot[],
  context: JobContext,
  told: Told,
): Promise<BlobSet> {
  const { findings, dropped, bad } = await checkTrees(repository, snapshots, context);
  for (const { kind, message } of findings) told.tell({ severity: 'error', code: kind, message });
  told.more(dropped);
  return bad;
}

/** Who repairs before the next prune gives up what that would have taken back. */
async function checkJournals({ repository, summary }: CheckedRepository, bad: Blobs, told: Told): Promise<void> {
  const journals = await summarizeJournals(repository);
  for (const { error } of journals.unreadable) {
    const message = `a prune journal can't be used: ${error.message}`;
    told.tell({ severity: 'hint', code: 'journal-unreadable', message });
  }
  const advice = adviceOnPutOff(journals.dropped.union(summary.markedPacks));
  if (bad.size > 0 && advice !== undefined) told.tell({ severity: 'hint', code: 'packs-put-off', message: advice });
}

/** Until when everything is locked; undefined where something isn't. */
async function checkLocks(
  repository: Repository,
  snapshots: readonly Snapshot[],
  context: JobContext & Pick<CheckJobOptions, 'lockMemory'>,
  told: Told,
): Promise<bigint | undefined> {
  if (told.errors > 0) {
    const message = 'locks were not read: what is missing or damaged comes first';
    told.tell({ severity: 'hint', code: 'locks-not-read', message });
    return undefined;
  }
  const rooted = { snapshots: snapshots.map(({ id }) => id), trees: snapshots.map(({ tree }) => tree) };
  const needs = await needsOf(repository, rooted, context);
  const readNs = context.clock.nowNs();
  const { untilNs, mode, unlocked } = await readLocks(repository, needs, context.signal);
  const [first] = unlocked;
  if (first === undefined && untilNs !== undefined) {
    const readings = await lockReadings(context.lockMemory, repository, context.clock);
    for (const { id } of snapshots) readings.set(id, { untilNs, mode, readNs });
    await readings.save();
  }
  if (first === undefined) return untilNs;
  const message = `${unlocked.length} objects that snapshots need are not locked, such as ${first}`;
  told.tell({ severity: 'error', code: 'not-locked', message });
  return undefined;
}

type Lost = Pick<CheckOutcome, 'affected' | 'affectedCount' | 'moreAffected'>;

const nothing: Lost = { affected: [], affectedCount: 0, moreAffected: false };

async function whatIsLost(
  repository: Repository,
  snapshots: readonly Snapshot[],
  bad: Blobs,
  signal: AbortSignal,
): Promise<Lost> {
  const affected: Affected[] = [];
  let affectedCount = 0;
  for await (const { snapshot, path } of affectedItems(repository, snapshots, bad, signal)) {
    if (affectedCount === mostCounted) return { affected, affectedCount, moreAffected: true };
    affectedCount += 1;
    if (affected.length < mostAffected) affected.push({ snapshot, path: displayPath(path) });
  }
  return { affected, affectedCount, moreAffected: false };
}

function outcomeOf({ summary }: CheckedRepository, told: Told, snapshots: number, lost: Lost): CheckOutcome {
  return {
    errors: told.errors,
    hints: told.hints,
    brokenPacks: [...summary.brokenPacks],
    suggestRepairIndex: summary.suggestRepairIndex,
    suggestPrune: summary.suggestPrune,
    snapshots,
    ...lost,
  };
}

import { displayPath, type FileId } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import { checkStructure, type CheckedRepository, type Finding, type Subset } from '../repository/check.ts';
import type { Repository } from '../repository/repository.ts';
import { affectedItems, checkTrees, type TreeFinding } from '../snapshot/check.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { BlobSet, type UsedBlobs } from '../snapshot/used-blobs.ts';
import { inRepository, type JobContext } from './job.ts';

export interface CheckJobOptions {
  /** Which snapshots' trees are walked. */
  readonly filter: SnapshotFilter;
  /** Undefined reads no data. */
  readonly data?: Subset;
  /** 0 up to 1. */
  readonly random: () => number;
}

/** A finding as it is told, in a note 'finding': one of packs and indexes, of trees, of a key or of a snapshot. */
export interface ToldFinding {
  readonly severity: 'error' | 'hint';
  readonly code: Finding['code'] | TreeFinding['kind'] | 'key-unreadable' | 'snapshot-unreadable';
  readonly message: string;
}

export interface CheckOutcome {
  readonly errors: number;
  readonly hints: number;
  readonly brokenPacks: readonly FileId[];
  readonly suggestRepairIndex: boolean;
  readonly suggestPrune: boolean;
  readonly snapshots: number;
  /** What is lost of which snapshot, at most a thousand items. */
  readonly affected: readonly Affected[];
  /** How many there are in all. */
  readonly affectedCount: number;
}

export interface Affected {
  readonly snapshot: FileId;
  readonly path: string;
}

const mostAffected = 1000;

/** Checks a repository: keys, index and packs, then the trees of snapshots, then the data asked for. Reads no cache. */
export async function check(context: JobContext, options: CheckJobOptions): Promise<CheckOutcome> {
  return await inRepository(context, 'check', async (repository, signal) => {
    const told = new Told(context);
    const checkOptions = { report: told.tell, listener: context.listener, signal };
    await checkKeys(repository, told);
    const checked = await checkStructure(repository, checkOptions);
    const snapshots = await readSnapshots(checked.repository, options.filter, told);
    const bad = await treesOf(checked, snapshots, { ...context, signal }, told);
    if (options.data !== undefined) await checked.readData(options.data, { ...checkOptions, random: options.random });
    for (const { type, id } of checked.brokenBlobs()) bad.add(type, id);
    const affected = told.errors === 0 ? nothing : await whatIsLost(checked.repository, snapshots, bad, signal);
    return outcomeOf(checked, told, snapshots.length, affected);
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
  const { findings } = await checkTrees(repository, snapshots, context);
  const bad = new BlobSet();
  for (const { kind, type, id, message } of findings) {
    told.tell({ severity: 'error', code: kind, message });
    if (kind !== 'node-wrong') bad.add(type, id);
  }
  return bad;
}

interface Lost {
  readonly items: readonly Affected[];
  readonly count: number;
}

const nothing: Lost = { items: [], count: 0 };

async function whatIsLost(
  repository: Repository,
  snapshots: readonly Snapshot[],
  bad: UsedBlobs,
  signal: AbortSignal,
): Promise<Lost> {
  const items: Affected[] = [];
  let count = 0;
  for await (const { snapshot, path } of affectedItems(repository, snapshots, bad, signal)) {
    count += 1;
    if (items.length < mostAffected) items.push({ snapshot, path: displayPath(path) });
  }
  return { items, count };
}

function outcomeOf(
  { summary }: CheckedRepository,
  told: Told,
  snapshots: number,
  { items, count }: Lost,
): CheckOutcome {
  return {
    errors: told.errors,
    hints: told.hints,
    brokenPacks: [...summary.brokenPacks],
    suggestRepairIndex: summary.suggestRepairIndex,
    suggestPrune: summary.suggestPrune,
    snapshots,
    affected: items,
    affectedCount: count,
  };
}

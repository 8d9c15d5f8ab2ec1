import { parseFileId, type FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { limiter } from '../flow/limiter.ts';
import type { Repository } from '../repository/repository.ts';
import { parseMoment, type Moment } from './moment.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot, type SnapshotFields } from './snapshot.ts';

/** The part of a repository that snapshots need. */
export type SnapshotFiles = Pick<Repository, 'list' | 'readFile' | 'writeFile'>;

/** A snapshot, or why it (by its name as asked for) can't be had. */
export type Found =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'failed'; readonly name: string; readonly error: HoldfastError };

/** Which snapshots are meant; each list that isn't empty narrows. */
export interface SnapshotFilter {
  /** One of these. */
  readonly hosts: readonly string[];
  /** All tags of at least one of these lists; the tag '' stands for having none. */
  readonly tagLists: readonly (readonly string[])[];
  /** All of these, as the snapshot has them (absolute). */
  readonly paths: readonly string[];
  /** Made at that moment or before. */
  readonly notAfterNs?: bigint;
}

export const anySnapshot: SnapshotFilter = { hosts: [], tagLists: [], paths: [] };

function matchesFilter(snapshot: Snapshot, filter: SnapshotFilter): boolean {
  const { hosts, tagLists, paths, notAfterNs } = filter;
  return (
    (hosts.length === 0 || hosts.includes(snapshot.hostname)) &&
    (tagLists.length === 0 || tagLists.some((tags) => hasTags(snapshot, tags))) &&
    paths.every((path) => snapshot.paths.includes(path)) &&
    (notAfterNs === undefined || snapshot.timeNs <= notAfterNs)
  );
}

function hasTags(snapshot: Snapshot, tags: readonly string[]): boolean {
  return tags.every((tag) => snapshot.tags.includes(tag) || (tag === '' && snapshot.tags.length === 0));
}

export async function loadSnapshot(files: SnapshotFiles, id: FileId): Promise<Snapshot> {
  return decodeSnapshot(id, await files.readFile('snapshots', id));
}

/** Durable when it resolves. What the tree needs must be flushed before. */
export async function saveSnapshot(files: SnapshotFiles, snapshot: SnapshotFields): Promise<FileId> {
  return await files.writeFile('snapshots', encodeSnapshot(snapshot));
}

/** How many snapshot files are read at a time. */
const concurrency = 8;

/** Every snapshot that matches, oldest first; those that can't be read come last, as failures. */
export async function listSnapshots(
  files: SnapshotFiles,
  filter: SnapshotFilter = anySnapshot,
): Promise<readonly Found[]> {
  const ids = await Array.fromAsync(files.list('snapshots'), ({ id }) => id);
  const limited = limiter(concurrency);
  const found = await Promise.all(ids.map((id) => limited(() => tryLoad(files, id))));
  return found.filter((one) => one.kind === 'failed' || matchesFilter(one.snapshot, filter)).toSorted(byTime);
}

async function tryLoad(files: SnapshotFiles, id: FileId): Promise<Found> {
  try {
    return { kind: 'snapshot', snapshot: await loadSnapshot(files, id) };
  } catch (error) {
    if (error instanceof HoldfastError) return { kind: 'failed', name: id, error };
    throw error;
  }
}

/** Snapshots of the same time in the order of their IDs, so that every run lists alike. */
function byTime(a: Found, b: Found): number {
  if (a.kind === 'failed' || b.kind === 'failed') return Number(a.kind === 'failed') - Number(b.kind === 'failed');
  if (a.snapshot.timeNs !== b.snapshot.timeNs) return a.snapshot.timeNs < b.snapshot.timeNs ? -1 : 1;
  return a.snapshot.id < b.snapshot.id ? -1 : 1;
}

/** The newest that matches. As restic does, it fails when any snapshot can't be read: that one might be it. */
export async function findLatest(files: SnapshotFiles, filter: SnapshotFilter): Promise<Snapshot | undefined> {
  let latest: Snapshot | undefined;
  for (const found of await listSnapshots(files, filter)) {
    if (found.kind === 'failed') throw found.error;
    latest = found.snapshot;
  }
  return latest;
}

export interface NamedSnapshot {
  readonly snapshot: Snapshot;
  /** What followed the colon, '' without one. */
  readonly subfolder: string;
  /** The moment that the name gave, to be shown with its offset. */
  readonly moment?: Moment;
}

/**
 * The snapshot that a person names: `latest` (the newest that the filter lets through), a moment (the newest of
 * then or before, see parseMoment), or an ID or the start of one (for which the filter doesn't count). Each may be
 * followed by `:` and a folder inside. 'snapshot-not-found' when there is none, or more than one.
 */
export async function findSnapshot(files: SnapshotFiles, name: string, options: FindOptions): Promise<NamedSnapshot> {
  const byMoment = parseMoment(name, options.now);
  if (byMoment !== undefined) {
    const { moment, rest } = byMoment;
    const filter = { ...options.filter, notAfterNs: moment.ns };
    return { snapshot: await latestOrFail(files, filter, ` at or before ${moment.text}`), subfolder: rest, moment };
  }
  const [id, subfolder] = splitOnce(name);
  const snapshot = id === 'latest' ? await latestOrFail(files, options.filter, '') : await byId(files, id);
  return { snapshot, subfolder };
}

export interface FindOptions {
  readonly filter: SnapshotFilter;
  /** For names like `yesterday`: the present time in the zone that is meant. */
  readonly now: Temporal.ZonedDateTime;
}

function splitOnce(name: string): readonly [string, string] {
  const at = name.indexOf(':');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}

async function latestOrFail(files: SnapshotFiles, filter: SnapshotFilter, when: string): Promise<Snapshot> {
  const snapshot = await findLatest(files, filter);
  if (snapshot !== undefined) return snapshot;
  const conditions = [
    ...filter.hosts.map((host) => `host ${host}`),
    ...filter.tagLists.map((tags) => `tags ${tags.join(',')}`),
    ...filter.paths.map((path) => `path ${path}`),
  ];
  const suffix = conditions.length === 0 ? '' : ` for ${conditions.join(', ')}`;
  throw new HoldfastError('snapshot-not-found', `there is no snapshot${when}${suffix}`);
}

async function byId(files: SnapshotFiles, prefix: string): Promise<Snapshot> {
  return await loadSnapshot(files, await resolveId(files, prefix));
}

async function resolveId(files: SnapshotFiles, prefix: string): Promise<FileId> {
  if (/^[0-9a-f]{64}$/.test(prefix)) return parseFileId(prefix);
  const ids = await Array.fromAsync(files.list('snapshots'), ({ id }) => id);
  const [match, another] = ids.filter((id) => prefix !== '' && id.startsWith(prefix));
  if (match === undefined)
    throw new HoldfastError('snapshot-not-found', `no snapshot's ID begins with ${JSON.stringify(prefix)}`);
  if (another === undefined) return match;
  throw new HoldfastError('snapshot-not-found', `more than one snapshot's ID begins with ${JSON.stringify(prefix)}`);
}

/**
 * Those named, each once, in the order given, or all that match when none is named. A name that can't be resolved
 * is a failure among the others. Folders inside snapshots can't be named here.
 */
export async function findSnapshots(
  files: SnapshotFiles,
  names: readonly string[],
  options: FindOptions,
): Promise<readonly Found[]> {
  if (names.length === 0) return await listSnapshots(files, options.filter);
  const found: Found[] = [];
  for (const name of names) {
    const one = await tryFind(files, name, options);
    const isKnown =
      one.kind === 'snapshot' &&
      found.some((other) => other.kind === 'snapshot' && other.snapshot.id === one.snapshot.id);
    if (!isKnown) found.push(one);
  }
  return found;
}

async function tryFind(files: SnapshotFiles, name: string, options: FindOptions): Promise<Found> {
  try {
    const { snapshot, subfolder } = await findSnapshot(files, name, options);
    if (subfolder === '') return { kind: 'snapshot', snapshot };
    throw new HoldfastError('usage', `a folder inside a snapshot can't be named here: ${name}`);
  } catch (error) {
    if (error instanceof HoldfastError) return { kind: 'failed', name, error };
    throw error;
  }
}

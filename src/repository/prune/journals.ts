import type { FileId } from '../../bytes/ids.ts';
import { hasCode, type HoldfastError } from '../../errors/error.ts';
import type { IndexedPack } from '../index-file.ts';
import { listOwnObjects, pruneJournalFolder, readOwnObject, writeOwnObject } from '../own-object.ts';
import type { Repository } from '../repository.ts';
import type { ObjectInfo } from '../../storage/storage.ts';
import { decodeJournal, encodeJournal, newJournalName } from './journal.ts';
import type { PruneJournal, WrittenJournal } from './journal.ts';

/** A journal, or why it can't be had. */
export type FoundJournal = { readonly kind: 'journal'; readonly journal: PruneJournal } | UnreadableJournal;

export interface UnreadableJournal {
  readonly kind: 'unreadable';
  readonly name: string;
  readonly error: HoldfastError;
}

/** One after the other, since each may hold tens of thousands of blobs; none where the storage can't hold any. */
export async function* readJournals(repository: Repository): AsyncGenerator<FoundJournal, void, void> {
  for (const info of await listOwnObjects(repository, pruneJournalFolder)) {
    const found = await tryRead(repository, info);
    if (found !== undefined) yield found;
  }
}

/** What means that this journal is useless, rather than that the storage fails. */
const useless = ['damaged', 'unsupported'] as const;

/** undefined when it went away since it was listed. */
async function tryRead(repository: Repository, info: ObjectInfo): Promise<FoundJournal | undefined> {
  const { key: name, modifiedNs = 0n } = info;
  try {
    const { timeNs, ...journal } = decodeJournal(await readOwnObject(repository, name), name);
    return { kind: 'journal', journal: { ...journal, sinceNs: timeNs > modifiedNs ? timeNs : modifiedNs } };
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    if (hasCode(error, ...useless)) return { kind: 'unreadable', name, error };
    throw error;
  }
}

/** The packs of all journals that can be read, as an index would name them. */
export async function* journalPacks(repository: Repository): AsyncGenerator<IndexedPack, void, void> {
  for await (const found of readJournals(repository)) {
    if (found.kind === 'journal') yield* found.journal.packs.filter(({ blobs }) => blobs.length > 0);
  }
}

export async function writeJournal(repository: Repository, journal: Omit<WrittenJournal, 'name'>): Promise<void> {
  const name = newJournalName(journal.timeNs);
  await writeOwnObject(repository, name, encodeJournal({ ...journal, name }));
}

/** Succeeds too when another did. */
export async function removeJournal({ storage }: Repository, name: string): Promise<void> {
  try {
    await storage.remove(name);
  } catch (error) {
    if (!hasCode(error, 'storage-not-found')) throw error;
  }
}

/** All of them, whatever they hold. Dropped packs are then packs that no index names, as an interrupted backup leaves them. */
export async function discardJournals(repository: Repository): Promise<void> {
  for (const { key } of await listOwnObjects(repository, pruneJournalFolder)) await removeJournal(repository, key);
}

/** What the journals say of packs, in short. */
export interface JournalSummary {
  /** Names of the marked ones. */
  readonly marked: readonly string[];
  /** Packs that an index named when they were marked. */
  readonly candidates: ReadonlySet<FileId>;
  /** Packs that are out of the index and wait for their time. */
  readonly dropped: ReadonlySet<FileId>;
  readonly unreadable: readonly UnreadableJournal[];
}

export async function summarizeJournals(repository: Repository): Promise<JournalSummary> {
  const marked: string[] = [];
  const candidates = new Set<FileId>();
  const dropped = new Set<FileId>();
  const unreadable: UnreadableJournal[] = [];
  for await (const found of readJournals(repository)) {
    if (found.kind === 'unreadable') unreadable.push(found);
    else if (found.journal.state === 'dropped') for (const { id } of found.journal.packs) dropped.add(id);
    else {
      marked.push(found.journal.name);
      for (const { id, blobs } of found.journal.packs) if (blobs.length > 0) candidates.add(id);
    }
  }
  return { marked, candidates, dropped, unreadable };
}

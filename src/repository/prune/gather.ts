import type { FileId } from '../../bytes/ids.ts';
import { BlobSet } from '../blob-set.ts';
import type { Repository } from '../repository.ts';
import { graceMs, type JournalPack, type PruneJournal } from './journal.ts';
import { readJournals, type UnreadableJournal } from './journals.ts';

/** A pack of a journal, without its blobs. */
export interface GatheredPack {
  readonly sizeBytes: number;
  /** Whether an index named it when it was marked. */
  readonly wasIndexed: boolean;
}

export interface DroppedPack extends GatheredPack {
  /** From then on it may be deleted. */
  readonly ripeNs: bigint;
}

/** A journal without what its packs hold. */
export interface JournalHead extends Pick<PruneJournal, 'name' | 'state'> {
  readonly packs: readonly FileId[];
}

/** All journals together. */
export interface Gathered {
  readonly journals: readonly JournalHead[];
  readonly marked: ReadonlyMap<FileId, GatheredPack>;
  readonly dropped: ReadonlyMap<FileId, DroppedPack>;
  /** Blobs of these packs that snapshots needed when they were marked or dropped. */
  readonly used: BlobSet;
  /** Snapshots that every journal has seen. */
  readonly seen: ReadonlySet<FileId>;
  readonly unreadable: readonly UnreadableJournal[];
}

/** 'dropped': what is only marked is left out of account. */
export type Which = 'all' | 'dropped';

export async function gatherJournals(repository: Repository, which: Which): Promise<Gathered> {
  const gathering = new Gathering();
  for await (const found of readJournals(repository)) {
    if (found.kind === 'unreadable') gathering.unreadable.push(found);
    else if (which === 'all' || found.journal.state === 'dropped') gathering.add(found.journal);
  }
  return gathering;
}

const graceNs = BigInt(graceMs) * 1_000_000n;

class Gathering implements Gathered {
  readonly journals: JournalHead[] = [];
  readonly marked = new Map<FileId, GatheredPack>();
  readonly dropped = new Map<FileId, DroppedPack>();
  readonly used = new BlobSet();
  readonly unreadable: UnreadableJournal[] = [];
  #seen: ReadonlySet<FileId> | undefined;

  get seen(): ReadonlySet<FileId> {
    return this.#seen ?? new Set();
  }

  add({ name, state, sinceNs, packs, used, snapshots }: PruneJournal): void {
    this.journals.push({ name, state, packs: packs.map(({ id }) => id) });
    for (const { type, id } of used) this.used.add(type, id);
    const seen = new Set(snapshots);
    this.#seen = this.#seen?.intersection(seen) ?? seen;
    for (const pack of packs) {
      if (state === 'marked') this.#mark(pack);
      else this.#drop(pack, sinceNs + graceNs);
    }
  }

  #mark({ id, ...pack }: JournalPack): void {
    const wasIndexed = pack.blobs.length > 0 || this.marked.get(id)?.wasIndexed === true;
    this.marked.set(id, { sizeBytes: pack.sizeBytes, wasIndexed });
  }

  /** Dropped twice, the later one counts. */
  #drop({ id, ...pack }: JournalPack, ripeNs: bigint): void {
    const before = this.dropped.get(id)?.ripeNs ?? 0n;
    const { sizeBytes, blobs } = pack;
    this.dropped.set(id, { sizeBytes, wasIndexed: blobs.length > 0, ripeNs: ripeNs > before ? ripeNs : before });
  }
}

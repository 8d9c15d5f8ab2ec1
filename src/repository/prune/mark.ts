import type { FileId } from '../../bytes/ids.ts';
import { blobsByPack } from '../by-pack.ts';
import type { PackedBlob } from '../pack.ts';
import type { Repository, WriterOptions } from '../repository.ts';
import { assertChangeable, sessionOf } from '../session.ts';
import type { Blobs } from '../blob-set.ts';
import type { Listener } from '../../events/events.ts';
import type { JournalPack } from './journal.ts';
import { removeJournal, writeJournal } from './journals.ts';
import type { PrunePlan } from './plan.ts';
import { makeDispensable } from './repack.ts';

export interface MarkOptions {
  /** What the plan was made with. */
  readonly used: Blobs;
  /** Those whose needs `used` is. */
  readonly snapshots: readonly FileId[];
  readonly stored: ReadonlyMap<FileId, { readonly sizeBytes: number }>;
  /** Names of marked journals that were there before the plan was made, which it replaces. */
  readonly superseded: readonly string[];
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

export interface MarkOutcome {
  readonly markedPacks: number;
  readonly markedBytes: number;
}

/** A journal names so many blobs, as an index file does. */
const fullBlobs = 50_000;

/**
 * Rewrites what the plan says into new packs, and writes down in journals what may then go: nothing is removed, and no
 * index file either. Hold the shared lock from before the plan was made.
 */
export async function executeMark(repository: Repository, plan: PrunePlan, options: MarkOptions): Promise<MarkOutcome> {
  assertChangeable(sessionOf(repository).config);
  const going = await makeDispensable(repository, plan, options);
  const marking = new Marking(repository, options);
  for (const [id, blobs] of blobsByPack(repository.index, going)) await marking.add(id, blobs);
  for (const id of plan.removeUnindexed) await marking.add(id, []);
  await marking.end();
  for (const name of options.superseded) await removeJournal(repository, name);
  return { markedPacks: marking.packs, markedBytes: marking.bytes };
}

class Marking {
  packs = 0;
  bytes = 0;
  readonly #repository: Repository;
  readonly #options: MarkOptions;
  #batch: JournalPack[] = [];
  #blobs = 0;

  constructor(repository: Repository, options: MarkOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  async add(id: FileId, blobs: readonly PackedBlob[]): Promise<void> {
    const sizeBytes = this.#options.stored.get(id)?.sizeBytes ?? 0;
    this.#batch.push({ id, blobs, other: {}, sizeBytes });
    this.packs += 1;
    this.bytes += sizeBytes;
    // A pack without blobs takes as much room in the journal as one blob.
    this.#blobs += Math.max(1, blobs.length);
    if (this.#blobs >= fullBlobs) await this.end();
  }

  async end(): Promise<void> {
    if (this.#batch.length === 0) return;
    const { used, snapshots, writer } = this.#options;
    writer.signal.throwIfAborted();
    const needed = this.#batch.flatMap(({ blobs }) => blobs).filter(({ type, id }) => used.has(type, id));
    const timeNs = sessionOf(this.#repository).clock.nowNs();
    await writeJournal(this.#repository, { state: 'marked', timeNs, snapshots, packs: this.#batch, used: needed });
    [this.#batch, this.#blobs] = [[], 0];
  }
}

import { randomBytes } from 'node:crypto';
import { fieldsExcept, listOf, textOf } from '../../bytes/fields.ts';
import { parseGoTime } from '../../bytes/go-time.ts';
import { parseBlobId, parseFileId, type BlobId, type FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { BlobType } from '../index.ts';
import { decodeIndexFile, encodeIndexFile, type IndexedPack } from '../index-file.ts';
import { pruneJournalFolder } from '../own-object.ts';

/**
 * Prune beside others. A journal says which packs are on their way out of the repository. It goes through two states,
 * each a write-once object of its own below `holdfast/prune/`, which restic and rustic never list:
 *
 * 1. *marked* — written under the shared lock, while backups run. Nothing that the packs hold was needed by the
 *    snapshots in `snapshots`, or what was stands elsewhere too (`used`: repacked, or stored twice). The index still
 *    names the packs, and nothing was deleted: whoever knows no journals works on as if there were none.
 * 2. *dropped* — written under restic's exclusive lock, once the index files were rewritten: they mark the packs as
 *    rustic does (`packs_to_delete`), so that their blobs count as absent to everybody. The packs are still there.
 *    After the grace of a day, under the exclusive lock again, they are deleted, and then the journal.
 *
 * Why nothing is lost. Whoever can need a pack at the moment it is deleted has a snapshot that shows it:
 *
 * - *Clients with locks* (restic, Holdfast) hold a shared lock from before they read the index until after they wrote
 *   their snapshot. The index drops a pack under the exclusive lock, so at that moment no such client is at work:
 *   those that began earlier have ended, and their snapshots are listed; those that begin later read an index without
 *   the pack. It makes no difference whether a backup began before or after the mark, whether it read the journals,
 *   or read them again: a running backup is never asked to change its mind. Each drop lists the snapshots, walks those
 *   that are not in `snapshots`, and leaves a pack in the index when only such packs hold a blob that they need.
 * - *Clients without locks* (rustic) may have read the index before the drop and write their snapshot after it. Each
 *   deletion lists and walks the new snapshots again; a pack that they need goes back into the index and stays. Who
 *   takes longer than the grace from reading the index to writing a snapshot is not protected, by rustic's own
 *   prune neither. Until that next sweep such a snapshot refers to blobs that no index names.
 * - *Other prunes.* A blob in `used` may have lost its other place by the time of the sweep (restic keeps any one of
 *   two copies): `used` is therefore held against the index of that moment, like the new snapshots. Two journals may
 *   each rely on a copy in a pack of the other: all journals are judged together, pack by pack, each being given up
 *   only if what it holds stands in a pack that stays. A pack that an index names again after its drop (repaired,
 *   recovered by rustic) is no longer the journal's.
 *
 * Our backups count what only marked packs hold as absent, and store it anew. That is for the sake of space alone: a
 * pack that a new snapshot uses would have to stay.
 *
 * What a crash leaves. Order: new packs, their index, marked journal · new index, old index, dropped journal, marked
 * journal · new index, old index, packs, dropped journal. Before a journal is written there are packs twice, which the
 * next mark finds. A marked journal whose packs no index names is a drop that was cut off: it is dropped from now on.
 * A journal whose packs are gone is removed. A later mark replaces the marked journals that it has seen.
 *
 * A journal that can't be read (damaged, another key, a newer version) stops nobody and is never taken for absent:
 * it is named by every prune until somebody removes it. Its packs are only ever deleted through a journal of their
 * own: packs that no index names, older than a day, are marked like others.
 */
export interface PruneJournal {
  /** Its key in the storage. */
  readonly name: string;
  readonly state: 'marked' | 'dropped';
  /** When it was written, by the writer's clock or by the storage's, whichever is later: nanoseconds since 1970. */
  readonly sinceNs: bigint;
  /** Seen when it was written: what they need is known. */
  readonly snapshots: readonly FileId[];
  /** As an index names them; without blobs where none did. */
  readonly packs: readonly JournalPack[];
  /** Blobs in these packs that those snapshots need, each of which stood elsewhere too. */
  readonly used: readonly BlobHandle[];
}

export interface JournalPack extends IndexedPack {
  /** As stored; 0 for a pack that was gone already. */
  readonly sizeBytes: number;
}

export interface BlobHandle {
  readonly type: BlobType;
  readonly id: BlobId;
}

/** From the drop until the packs may be deleted. */
export const graceMs = 24 * 3_600_000;

const version = 1;

/** What a journal file says of itself: nothing of when the storage got it. */
export type WrittenJournal = Omit<PruneJournal, 'sinceNs'> & { readonly timeNs: bigint };

export function newJournalName(timeNs: bigint): string {
  const time = isoTime(timeNs).replaceAll(/\.\d+|[-:]/g, '');
  return `${pruneJournalFolder}${time}-${randomBytes(8).toHex()}`;
}

/** RFC 3339, in UTC. */
export function isoTime(timeNs: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(timeNs).toString();
}

/** In the form of an index file; what else it says stands beside the packs, its own name included. */
export function encodeJournal({ name, state, timeNs, snapshots, packs, used }: WrittenJournal): Uint8Array {
  const handles = used.map(({ type, id }) => `${type} ${id}`);
  return encodeIndexFile({
    other: { version, name, state, time: isoTime(timeNs), snapshots, used: handles },
    packs: packs.map(({ id, blobs, other, sizeBytes }) => ({ id, blobs, other: { ...other, size: sizeBytes } })),
    packsToDelete: [],
  });
}

/** 'damaged' also when it is another object's content: the seal alone doesn't bind the name. */
export function decodeJournal(plaintext: Uint8Array, name: string): WrittenJournal {
  const { packs, other } = decodeIndexFile(plaintext, name);
  if (other['version'] !== version) {
    throw new HoldfastError('unsupported', `${name} was written by a version of Holdfast that knows more`);
  }
  if (other['name'] !== name) throw new HoldfastError('damaged', `${name} holds the content of another object`);
  const { state } = other;
  if (state !== 'marked' && state !== 'dropped') throw new HoldfastError('damaged', `${name} is in no known state`);
  return {
    name,
    state,
    timeNs: parseGoTime(textOf(other['time'], `${name}: time`)),
    snapshots: listOf(other['snapshots'], `${name}: snapshots`).map((id) => parseFileId(textOf(id, name))),
    packs: packs.map(journalPack),
    used: listOf(other['used'], `${name}: used`).map((text) => handleOf(text, name)),
  };
}

function journalPack({ id, blobs, other }: IndexedPack): JournalPack {
  const { size } = other;
  return { id, blobs, other: fieldsExcept(other, 'size'), sizeBytes: typeof size === 'number' ? size : 0 };
}

function handleOf(value: unknown, name: string): BlobHandle {
  const [type, id = ''] = textOf(value, `${name}: used`).split(' ');
  if (type !== 'data' && type !== 'tree') throw new HoldfastError('damaged', `${name}: used names no blob`);
  return { type, id: parseBlobId(id) };
}

import type { Fields } from '../bytes/fields.ts';
import type { OwnFile, OwnFiles } from '../repository/own-files.ts';

/**
 * The stream of changes that a component writes between its backups (PostgreSQL's WAL, an oplog, a binlog), as far as a
 * repository holds it. This room knows positions and no database: a *position* is a number that only grows within an
 * *epoch*; an epoch forks from its parent at a position (a timeline of PostgreSQL); a *stream* is one history that can be
 * replayed (a system identifier). What a position is made of, its source knows.
 *
 * At rest, each a sealed object that says its own full name inside, written once:
 *
 * - `holdfast/log/<component>/<stream>/<epoch>/<from>-<to>` — a *segment*, whole: all bytes of that extent.
 * - `….about` — its sidecar: what the source found in it (times, points with names), small enough to read many.
 * - `….partial` — a segment that an epoch ended within: the bytes behind its end mean nothing.
 * - `….gap` — nobody will ever have this extent, and why.
 * - `holdfast/log/<component>/<stream>/<epoch>/history` — whence an epoch forks, and the source's own file that says so.
 * - `holdfast/log/<component>/<stream>/<epoch>/left-<at>` — who wrote an epoch was turned back when it had come so far, and why.
 * - `holdfast/open/<component>/<stream>/<epoch>/<from>-<to>.<at>-<end>` — a *piece* of a segment that is still written.
 * - `holdfast/open/<component>/<stream>/<epoch>/<at>.seen-<time>` — a *sighting*, one at a time: of the moment at which
 *   whoever follows the source last saw that nothing had been written behind what this repository holds.
 *
 * A position is *durable* in a repository once the segments and pieces without a hole before it are. Order of writes:
 * segment, then sidecar, then its pieces go. A kill before the segment leaves its pieces; after it, a segment whose sidecar
 * the next `put` of the same bytes writes, and pieces that say nothing new. Nothing is ever replaced: the same bytes again
 * are 'there', others under the same name are 'log-conflict', for then two clusters write one log; what can't be read there is
 * 'storage-exists', for a person to remove: nobody can tell whose it was.
 *
 * A *gap* is an extent between two segments that no object holds. One that an object names was told at its time; any other
 * is found by looking, and is as much of a gap.
 */
export interface LogName {
  readonly component: string;
  /** `[a-z0-9][a-z0-9-]{0,62}`; for PostgreSQL the system identifier in decimal. */
  readonly stream: string;
}

/** From a position to the first that is not in it. */
export interface Extent {
  readonly epoch: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** A part of a segment that is still written. */
export interface Piece {
  /** That of the whole segment. */
  readonly segment: Extent;
  readonly from: bigint;
  readonly to: bigint;
}

/** Whence an epoch comes. */
export interface History {
  readonly epoch: number;
  readonly parent: number;
  /** The first position that is the epoch's own. */
  readonly forkedAt: bigint;
  /** As the source's own file has it. */
  readonly bytes: Uint8Array;
}

/** When all that had been written was here: of a source that writes nothing, nothing is lost since. */
export interface Sighting {
  readonly epoch: number;
  /** Up to where it was here. */
  readonly at: bigint;
  /** Nanoseconds since 1970, by the clock of the host that looked. */
  readonly timeNs: bigint;
  /** When the newest row of a heartbeat that is here was written, by the source's clock. */
  readonly heartbeatNs?: bigint | undefined;
}

/** Who wrote an epoch was turned back to another once it had come so far: up to there nothing of it tells that it goes on. */
export interface Left {
  readonly epoch: number;
  readonly at: bigint;
}

/** What a source noted of a segment. */
export interface Noted {
  /**
   * When the changes in it were made that a restore can end at, by the server's clock: nanoseconds since 1970. Undefined
   * where there are none. Times need not grow with positions.
   */
  readonly times?: { readonly earliestNs: bigint; readonly latestNs: bigint } | undefined;
  /** What else it knows, in a form of its own. */
  readonly facts: Fields;
}

/** What is told of a segment beside it. */
export interface About extends Noted {
  /** SHA-256 of the segment's bytes, hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A segment that was hashed and compressed beforehand, for the log of this name alone: `packSegment`. */
export interface PackedSegment extends Pick<About, 'sha256' | 'bytes'> {
  readonly packed: Uint8Array;
}

/** A segment that was written to a file. */
export type SegmentFile = Pick<OwnFile, 'sizeBytes' | 'beginning'>;

/** The names of what a repository holds of one log, by one listing, each kind in the order of epochs and positions. */
export interface Listing {
  readonly segments: readonly Extent[];
  readonly partials: readonly Extent[];
  readonly gaps: readonly Extent[];
  /** Epochs whose history is held. */
  readonly histories: readonly number[];
  /** By their names alone: one counts once its reason was read. */
  readonly left: readonly Left[];
  readonly pieces: readonly Piece[];
}

export interface LogStore {
  readonly name: LogName;
  /** The signal ends the wait. */
  list(options?: { readonly signal?: AbortSignal }): Promise<Listing>;

  /** Durable with its sidecar when it resolves. 'log-conflict' where other bytes stand there. */
  put(extent: Extent, segment: Uint8Array | PackedSegment, noted: Noted): Promise<'stored' | 'there'>;
  /** 'storage-not-found' says for certain that it isn't there. */
  get(extent: Extent): Promise<Uint8Array>;
  /** The same into a file, by threads; it is made or overwritten, and of no use where this rejects. */
  getInto(extent: Extent, path: string, files: OwnFiles): Promise<SegmentFile>;
  /** Undefined where a kill left the segment without. */
  about(extent: Extent): Promise<About | undefined>;

  /** As `put`, of a segment that its epoch ended within. */
  putPartial(extent: Extent, bytes: Uint8Array): Promise<'stored' | 'there'>;
  getPartial(extent: Extent): Promise<Uint8Array>;

  putHistory(history: History): Promise<'stored' | 'there'>;
  getHistory(epoch: number): Promise<History>;

  /** When a segment, a piece of one, or a history was stored, by the storage's clock; undefined where that doesn't tell. */
  storedNs(of: Extent | Piece | { readonly historyOf: number }): Promise<bigint | undefined>;

  /** Says that an extent will never come, and why; for people. */
  putGap(extent: Extent, reason: string): Promise<void>;
  gapReason(extent: Extent): Promise<string>;

  /**
   * Says that an epoch was left, and why, for people. Whoever goes on with it all the same writes behind that. 'storage-exists'
   * where what stands under that name can't be read: it would say nothing.
   */
  putLeft(left: Left, reason: string): Promise<void>;
  /** 'damaged' of what nobody with the repository's key has said: whoever may write to its storage can make a name. */
  leftReason(left: Left): Promise<string>;

  putPiece(piece: Piece, bytes: Uint8Array): Promise<void>;
  getPiece(piece: Piece): Promise<Uint8Array>;
  /** Those that are gone already are. */
  removePieces(pieces: readonly Piece[]): Promise<void>;

  /** In place of the one before. */
  putSighting(sighting: Sighting): Promise<void>;
  /** The newest; undefined where there is none. */
  sighting(): Promise<Sighting | undefined>;

  /** Segments with all that stands beside them: what a window has passed. */
  remove(extents: readonly Extent[]): Promise<void>;
}

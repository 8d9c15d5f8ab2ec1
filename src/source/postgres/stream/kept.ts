import { HoldfastError } from '../../../errors/error.ts';
import type { Listing, LogStore, Piece } from '../../../log/log.ts';
import type { Repository } from '../../../repository/repository.ts';
import { lsnText } from '../lsn.ts';
import type { HeldSegment } from './feed.ts';
import { notedSegment } from './noted-segment.ts';
import { chainEnd, leftOver, piecesOf } from './reached.ts';

/** An idle server writes so slowly that a segment would have pieces without end: so many are made one. */
const mostPieces = 64;

/** What an open repository keeps of a log: segments once they are whole, pieces of the one that isn't. */
export class Kept implements AsyncDisposable {
  readonly store: LogStore;
  readonly #repository: Repository;
  /** What was found or has been written, and is not removed yet. */
  #pieces: readonly Piece[] = [];
  /** Those that were found, until they were held against what the server sends. */
  #found: readonly Piece[] = [];

  constructor(repository: Repository, store: LogStore) {
    this.#repository = repository;
    this.store = store;
  }

  /** Lists it; what a kill has left of pieces is cleared away, each of their segments read first. */
  async look(): Promise<Listing> {
    const listing = await this.store.list();
    this.#pieces = this.#found = listing.pieces;
    for (const piece of leftOver(listing)) {
      await this.store.get(piece.segment);
      await this.#remove([piece]);
    }
    return listing;
  }

  /** What came since the last piece. */
  async piece(segment: HeldSegment): Promise<void> {
    const { extent, end } = segment;
    await this.#compareFound(segment);
    const own = piecesOf(this.#pieces, extent);
    const reached = chainEnd(own, extent);
    if (end <= reached) return;
    const from = own.length < mostPieces ? reached : extent.from;
    const piece = { segment: extent, from, to: end };
    await this.store.putPiece(piece, partOf(segment, piece).slice());
    this.#pieces = [...this.#pieces, piece];
    if (from === extent.from && own.length > 0) await this.#remove(own);
  }

  /** A segment that its epoch ended within. Its pieces stay: they say how far it reaches. */
  async partial(segment: HeldSegment): Promise<void> {
    await this.piece(segment);
    await this.store.putPartial(segment.extent, segment.bytes);
  }

  async whole(segment: HeldSegment): Promise<void> {
    const { extent, bytes } = segment;
    await this.#compareFound(segment);
    await this.store.put(extent, bytes, notedSegment(extent, bytes));
    await this.forget(segment);
  }

  /** The pieces of a segment that is whole go once it was read back. */
  async forget({ extent, bytes }: HeldSegment): Promise<void> {
    const pieces = piecesOf(this.#pieces, extent);
    if (pieces.length === 0) return;
    if (Buffer.compare(await this.store.get(extent), bytes) !== 0) throw otherThere(extent.from);
    await this.#remove(pieces);
  }

  /** What was found of a segment is a part of what the server sends now. */
  async #compareFound(segment: HeldSegment): Promise<void> {
    const due = piecesOf(this.#found, segment.extent).filter(({ to }) => to <= segment.end);
    for (const piece of due) {
      const there = await this.store.getPiece(piece);
      if (Buffer.compare(there, partOf(segment, piece)) !== 0) throw otherThere(piece.from);
    }
    this.#found = this.#found.filter((one) => !due.includes(one));
  }

  async #remove(pieces: readonly Piece[]): Promise<void> {
    await this.store.removePieces(pieces);
    this.#pieces = this.#pieces.filter((one) => !pieces.includes(one));
    this.#found = this.#found.filter((one) => !pieces.includes(one));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repository[Symbol.asyncDispose]();
  }
}

function partOf({ extent, bytes }: HeldSegment, { from, to }: Piece): Uint8Array {
  return bytes.subarray(Number(from - extent.from), Number(to - extent.from));
}

function otherThere(at: bigint): HoldfastError {
  return new HoldfastError(
    'log-conflict',
    `what is stored of the log at ${lsnText(at)} is not what the server has there: two clusters write one log`,
  );
}

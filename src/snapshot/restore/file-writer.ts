import { closeSync } from 'node:fs';
import type { FileId } from '../../bytes/ids.ts';
import type { TaskGroup } from '../../flow/task-group.ts';
import type { BlobLocation } from '../../repository/index.ts';
import type { BlobReader, Placement, PlacementFailure } from '../../repository/repository.ts';

/** A file that is open and waits for blobs. */
export interface OpenFile {
  readonly fd: number;
  readonly holes: Placement['holes'];
  /** Bytes of one blob are in. */
  onBytes(bytes: number): void;
  /** Everything is in, or `error` says why not. The descriptor is closed afterwards. */
  onDone(error: Error | undefined): void;
}

/** One blob at one place of one file. */
interface Piece {
  readonly file: Pending;
  readonly blob: BlobLocation;
  readonly offset: number;
}

interface Pending {
  readonly file: OpenFile;
  piecesLeft: number;
  /** False while more pieces may come. */
  whole: boolean;
  error: Error | undefined;
}

const maxFiles = 256;
const maxBytes = 16 * 1024 * 1024;

/**
 * Fills files with blobs. Pieces are gathered to a window of files or bytes and then read pack by pack, so that each
 * pack is read in few, long pieces, and the memory and the descriptors that it takes don't grow with the restore.
 */
export class FileWriter {
  readonly #reader: BlobReader;
  readonly #tasks: TaskGroup;
  #window: Piece[] = [];
  #windowBytes = 0;
  #windowFiles = 0;

  constructor(reader: BlobReader, tasks: TaskGroup) {
    this.#reader = reader;
    this.#tasks = tasks;
  }

  /** Takes the file over; resolves when the next one may come. */
  async fill(
    file: OpenFile,
    pieces: Iterable<{ readonly blob: BlobLocation; readonly offset: number }>,
  ): Promise<void> {
    const pending: Pending = { file, piecesLeft: 0, whole: false, error: undefined };
    this.#windowFiles++;
    for (const { blob, offset } of pieces) {
      pending.piecesLeft++;
      this.#window.push({ file: pending, blob, offset });
      this.#windowBytes += blob.plainLength;
      if (this.#windowBytes >= maxBytes) await this.flush();
    }
    pending.whole = true;
    finishIfDone(pending);
    if (this.#windowFiles >= maxFiles) await this.flush();
  }

  /** Hands the window to the readers, as fast as they take it. */
  async flush(): Promise<void> {
    const packs = Map.groupBy(this.#window, (piece) => piece.blob.pack);
    this.#window = [];
    this.#windowBytes = 0;
    this.#windowFiles = 0;
    for (const [pack, pieces] of packs) {
      await this.#ready(packs);
      packs.delete(pack);
      this.#tasks.run(async () => await this.#place(pack, pieces));
    }
  }

  /** Whoever waits for the rest of the window learns of the end too, and every descriptor is closed. */
  async #ready(rest: ReadonlyMap<FileId, readonly Piece[]>): Promise<void> {
    try {
      await this.#reader.ready();
    } catch (error) {
      for (const { file } of [...rest.values()].flat()) arrive(file, 0, asError(error));
      throw error;
    }
  }

  async #place(pack: FileId, pieces: readonly Piece[]): Promise<void> {
    try {
      settle(pieces, await this.#reader.place(pack, placementsOf(pieces)));
    } catch (error) {
      for (const { file } of pieces) arrive(file, 0, asError(error));
      throw error;
    }
  }
}

/** A blob that several files need, or one file several times, is read once. */
function placementsOf(pieces: readonly Piece[]): readonly Placement[] {
  const blobs = Map.groupBy(pieces, (piece) => `${piece.blob.id} ${piece.file.file.holes}`);
  return blobs
    .values()
    .flatMap(([first, ...more]) => {
      if (first === undefined) return [];
      const targets = [first, ...more].map(({ file, offset }) => ({ fd: file.file.fd, offset }));
      return [{ location: first.blob, targets, holes: first.file.file.holes }];
    })
    .toArray();
}

function settle(pieces: readonly Piece[], failures: readonly PlacementFailure[]): void {
  const failed = new Map(failures.map(({ location, error }) => [location.id, error]));
  for (const { file, blob } of pieces) arrive(file, blob.plainLength, failed.get(blob.id));
}

function arrive(pending: Pending, bytes: number, error: Error | undefined): void {
  pending.piecesLeft--;
  pending.error ??= error;
  if (error === undefined) pending.file.onBytes(bytes);
  finishIfDone(pending);
}

function finishIfDone({ file, piecesLeft, whole, error }: Pending): void {
  if (piecesLeft > 0 || !whole) return;
  try {
    file.onDone(error);
  } finally {
    closeSync(file.fd);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

import { closeSync } from 'node:fs';
import type { FileId } from '../../bytes/ids.ts';
import type { TaskGroup } from '../../flow/task-group.ts';
import type { BlobLocation } from '../../repository/index.ts';
import type { BlobReader, NewFile, Placement, PlacementFailure } from '../../repository/repository.ts';

/** A file that is open and waits for blobs. */
export interface OpenFile {
  readonly fd: number;
  readonly holes: Placement['holes'];
  /** Bytes of one blob are in. */
  onBytes(bytes: number): void;
  /** Everything is in, or `error` says why not. The descriptor is closed afterwards. */
  onDone(error: Error | undefined): void;
}

/** A file of one blob, which a worker makes, fills and closes. */
export interface FileToMake {
  readonly file: NewFile;
  /** It is there as it should be, or `error` says why not. */
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

/** What is asked of the readers at once: of one pack. */
interface Share {
  readonly pack: FileId;
  readonly pieces: Piece[];
  readonly files: FileToMake[];
  /** What is wanted of the pack, as it is stored there. */
  packBytes: number;
}

/** How much is gathered before the readers are asked. */
interface Window {
  readonly openFiles: number;
  readonly newFiles: number;
  readonly bytes: number;
  /** A pack of which so much is wanted has little more to give once others are wanted. */
  readonly packBytes: number;
  /** Packs that were wanted last are likely to be wanted next: so many wait for more. */
  readonly packsHeld: number;
}

const windows: Readonly<Record<BlobReader['calls'], Window>> = {
  cheap: { openFiles: 256, newFiles: 256, bytes: 16 * 2 ** 20, packBytes: Infinity, packsHeld: 0 },
  dear: { openFiles: 256, newFiles: 32_768, bytes: 2 ** 30, packBytes: 15 * 2 ** 20, packsHeld: 2 },
};

/**
 * Fills files with blobs. Pieces are gathered to a window of files or bytes and then read pack by pack, so that each
 * pack is read in few, long pieces, and the memory and the descriptors that it takes don't grow with the restore.
 * Where a pack costs requests the window is large: a backup wrote its packs in the order of the walk, two at a time.
 */
export class FileWriter {
  readonly #reader: BlobReader;
  readonly #tasks: TaskGroup;
  readonly #onLost: (what: string) => void;
  readonly #limits: Window;
  /** The pack that was wanted last comes last. */
  readonly #shares = new Map<FileId, Share>();
  #bytes = 0;
  #openFiles = 0;
  #newFiles = 0;

  /** Calls `onLost` with what new files can't keep, see `Filled`. */
  constructor(reader: BlobReader, tasks: TaskGroup, onLost: (what: string) => void) {
    this.#reader = reader;
    this.#tasks = tasks;
    this.#onLost = onLost;
    this.#limits = windows[reader.calls];
  }

  /** Takes the file over; resolves when the next one may come. */
  async fill(
    file: OpenFile,
    pieces: Iterable<{ readonly blob: BlobLocation; readonly offset: number }>,
  ): Promise<void> {
    const pending: Pending = { file, piecesLeft: 0, whole: false, error: undefined };
    this.#openFiles += 1;
    try {
      for (const { blob, offset } of pieces) {
        pending.piecesLeft++;
        const share = this.#shareOf(blob);
        share.pieces.push({ file: pending, blob, offset });
        await this.#regulate(share);
      }
    } finally {
      pending.whole = true;
      finishIfDone(pending);
    }
    if (this.#openFiles >= this.#limits.openFiles) await this.flush();
  }

  /** Resolves when the next file may come. */
  async make(request: FileToMake): Promise<void> {
    this.#newFiles += 1;
    const share = this.#shareOf(request.file.location);
    share.files.push(request);
    await this.#regulate(share);
  }

  /** Hands everything to the readers, as fast as they take it. */
  async flush(): Promise<void> {
    const all = this.#shares.values().toArray();
    this.#openFiles = 0;
    await this.#handOver(all);
  }

  /** What was gathered and not handed over learns why it never will be: its files are closed. */
  abandon(error: unknown): void {
    for (const share of this.#shares.values()) fail(share, asError(error));
    this.#shares.clear();
  }

  #shareOf({ pack, length, plainLength }: BlobLocation): Share {
    const share = this.#shares.get(pack) ?? { pack, pieces: [], files: [], packBytes: 0 };
    this.#shares.delete(pack);
    this.#shares.set(pack, share);
    share.packBytes += length;
    this.#bytes += plainLength;
    return share;
  }

  async #regulate({ pieces, files }: Share): Promise<void> {
    const { newFiles, bytes, packBytes, packsHeld } = this.#limits;
    const isNew = pieces.length + files.length === 1;
    const isFull = this.#bytes >= bytes || this.#newFiles >= newFiles;
    if (!isNew && !isFull) return;
    const idle = [...this.#shares.values()].slice(0, -packsHeld || undefined);
    if (isFull && idle.length === 0) await this.flush();
    else await this.#handOver(isFull ? idle : idle.filter((share) => share.packBytes >= packBytes));
  }

  async #handOver(shares: readonly Share[]): Promise<void> {
    for (const share of shares) this.#take(share);
    for (const [number, share] of shares.entries()) {
      await this.#ready(shares.slice(number));
      this.#tasks.run(async () => {
        try {
          await this.#run(share);
        } catch (error) {
          fail(share, asError(error));
          throw error;
        }
      });
    }
  }

  /** Out of the window. */
  #take({ pack, pieces, files }: Share): void {
    this.#shares.delete(pack);
    this.#newFiles -= files.length;
    for (const { blob } of pieces) this.#bytes -= blob.plainLength;
    for (const { file } of files) this.#bytes -= file.location.plainLength;
  }

  /** Whoever is in the window learns of the end too, and every descriptor is closed. */
  async #ready(rest: readonly Share[]): Promise<void> {
    try {
      await this.#reader.ready();
    } catch (error) {
      for (const share of rest) fail(share, asError(error));
      this.abandon(error);
      throw error;
    }
  }

  async #run({ pack, pieces, files }: Share): Promise<void> {
    const wanted = { placements: placementsOf(pieces), files: files.map(({ file }) => file) };
    const { unplaced, unmade, lost } = await this.#reader.fill(pack, wanted);
    settle(pieces, unplaced);
    lost.forEach(this.#onLost);
    const errors = new Map(unmade.map(({ file, error }) => [file, error]));
    for (const request of files) request.onDone(errors.get(request.file));
  }
}

/** Files that can't be asked for any more learn why. */
function fail({ pieces, files }: Share, error: Error): void {
  for (const { file } of pieces) arrive(file, 0, error);
  for (const request of files) request.onDone(error);
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

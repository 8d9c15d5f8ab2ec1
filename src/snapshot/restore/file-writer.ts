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

/** What is asked of the readers at once: of one pack. Files that can't be asked for any more learn why by `fail`. */
interface Share {
  run(): Promise<void>;
  fail(error: Error): void;
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
  readonly #onLost: (what: string) => void;
  #window: Piece[] = [];
  #newFiles: FileToMake[] = [];
  #windowBytes = 0;
  #windowFiles = 0;

  /** Calls `onLost` with what new files can't keep, see `MadeFiles`. */
  constructor(reader: BlobReader, tasks: TaskGroup, onLost: (what: string) => void) {
    this.#reader = reader;
    this.#tasks = tasks;
    this.#onLost = onLost;
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

  /** Resolves when the next file may come. */
  async make(request: FileToMake): Promise<void> {
    this.#newFiles.push(request);
    this.#windowFiles++;
    this.#windowBytes += request.file.location.plainLength;
    if (this.#windowFiles >= maxFiles || this.#windowBytes >= maxBytes) await this.flush();
  }

  /** Hands the window to the readers, as fast as they take it. */
  async flush(): Promise<void> {
    const shares = [
      ...Map.groupBy(this.#window, ({ blob }) => blob.pack)
        .entries()
        .map(([pack, pieces]) => this.#placing(pack, pieces)),
      ...Map.groupBy(this.#newFiles, ({ file }) => file.location.pack)
        .entries()
        .map(([pack, files]) => this.#making(pack, files)),
    ];
    this.#window = [];
    this.#newFiles = [];
    this.#windowBytes = 0;
    this.#windowFiles = 0;
    for (const [number, share] of shares.entries()) {
      await this.#ready(shares.slice(number));
      this.#tasks.run(async () => {
        try {
          await share.run();
        } catch (error) {
          share.fail(asError(error));
          throw error;
        }
      });
    }
  }

  /** Whoever waits for the rest of the window learns of the end too, and every descriptor is closed. */
  async #ready(rest: readonly Share[]): Promise<void> {
    try {
      await this.#reader.ready();
    } catch (error) {
      for (const share of rest) share.fail(asError(error));
      throw error;
    }
  }

  #placing(pack: FileId, pieces: readonly Piece[]): Share {
    return {
      run: async () => settle(pieces, await this.#reader.place(pack, placementsOf(pieces))),
      fail: (error) => {
        for (const { file } of pieces) arrive(file, 0, error);
      },
    };
  }

  #making(pack: FileId, requests: readonly FileToMake[]): Share {
    return {
      run: async () => {
        const files = requests.map(({ file }) => file);
        const { failures, lost } = await this.#reader.make(pack, files);
        lost.forEach(this.#onLost);
        const errors = new Map(failures.map(({ file, error }) => [file, error]));
        for (const request of requests) request.onDone(errors.get(request.file));
      },
      fail: (error) => {
        for (const request of requests) request.onDone(error);
      },
    };
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

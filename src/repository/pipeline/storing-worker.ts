import { closeSync, fstatSync, readSync } from 'node:fs';
import type { RawPath } from '../../bytes/ids.ts';
import { RabinChunker } from '../../chunking/chunker.ts';
import { parsePolynomial } from '../../chunking/polynomial.ts';
import { HoldfastError } from '../../errors/error.ts';
import { serveRequests } from '../../host/worker.ts';
import { readerOf } from './bytes-reader.ts';
import type { BytesRead } from '../content.ts';
import { Cutter } from './cutter.ts';
import { giveBack } from './crates.ts';
import { Inspector } from './inspector.ts';
import { Outbox } from './outbox.ts';
import { toColumns, type ContentOutcome } from './outcomes.ts';
import { neighbours } from './groups.ts';
import type { CarryRequest, CutReply, CutRequest, LiveFile, RangeRequest, StoreRequest } from './protocol.ts';
import type { Reply, Request, SealedPart, WorkerSetUp, WorkRequest } from './protocol.ts';
import type { Slice } from './reading-protocol.ts';
import { Sealer, Tally } from './sealer.ts';
import { PackSlices, sealedIn } from './slices.ts';
import { openSource, reasonOf } from './source-file.ts';

/** Beyond this a file is stored range by range, so that no reply grows without a bound. */
const maxFileBytes = 16 * 2 ** 20;
const smallestBuffer = 8 * 2 ** 20;

/** What the entry file of the pipeline's workers runs: reads, cuts, hashes, compresses and seals. */
class StoringWorker {
  readonly #outbox: Outbox;
  readonly #sealer: Sealer;
  readonly #chunker: RabinChunker;
  readonly #packs = new PackSlices();

  constructor(setUp: WorkerSetUp, send: (part: SealedPart) => void) {
    this.#outbox = new Outbox(setUp.output === 'send' ? send : giveBack);
    this.#sealer = new Sealer(setUp, this.#outbox);
    const options = { limits: setUp.chunkLimits, bufferBytes: Math.max(smallestBuffer, setUp.largestChunk) };
    this.#chunker = new RabinChunker(parsePolynomial(setUp.chunkerPolynomial), options);
  }

  answer(request: WorkRequest): Reply {
    if (request.kind === 'cut') return this.#cut(request);
    const read: (BytesRead | undefined)[] = [];
    const contents = toColumns(this.#store(request, read));
    this.#outbox.flush();
    return read.length === 0 ? { kind: 'stored', contents } : { kind: 'stored', contents, read };
  }

  #cut({ from, start, untilAtLeast }: CutRequest): CutReply {
    const cutter = new Cutter(this.#chunker, readerOf(from), start);
    const ends: number[] = [];
    while (cutter.position < untilAtLeast) {
      if (cutter.next() === undefined) return { kind: 'cuts', ends, atEnd: true };
      ends.push(cutter.position);
    }
    return { kind: 'cuts', ends, atEnd: false };
  }

  /** What is seen of live files is added to `read`. */
  #store(request: StoreRequest, read: (BytesRead | undefined)[]): readonly ContentOutcome[] {
    if (request.kind === 'files') {
      const { paths, sizesBytes } = request;
      return paths.map((path, number) => outcomeOf((tally) => this.#storeFile(tally, path, sizesBytes[number] ?? 0)));
    }
    if (request.kind === 'live-files')
      return request.files.map((file, number) =>
        outcomeOf((tally) => {
          read[number] = undefined;
          read[number] = this.#storeLive(tally, file);
        }),
      );
    if (request.kind === 'range')
      return [
        outcomeOf((tally) => {
          const inspector = inspectorOf(request);
          this.#storeRange(tally, request, inspector);
          if (inspector !== undefined) read.push(inspector.result());
        }),
      ];
    if (request.kind === 'carry') return this.#carry(request);
    return request.blobs.map(({ type, bytes, store }) =>
      outcomeOf((tally) => this.#sealer.add(tally, type, bytes, store)),
    );
  }

  /** One that can't be read fails by itself. */
  #carry({ key, pack, blobs, store }: CarryRequest): readonly ContentOutcome[] {
    const outcomes: ContentOutcome[] = [];
    const numbered = blobs.map((blob, number) => ({ blob, number }));
    for (const { items, offset, end } of neighbours(numbered)) {
      const slice = attempt(() => this.#packs.slice(pack, offset, end));
      for (const { blob, number } of items) {
        outcomes[number] =
          'kind' in slice
            ? slice
            : outcomeOf((tally) => this.#sealer.carry(tally, { key, blob, store }, sealedIn(slice, blob)));
      }
    }
    this.#packs.done(pack);
    return outcomes;
  }

  #storeRange(tally: Tally, { from, start, ends }: RangeRequest, inspector?: Inspector): void {
    const bytes = readerOf(from);
    let at = start;
    for (const end of ends) {
      const length = bytes.read(this.#chunker.buffer, end - at, at);
      inspector?.add(this.#chunker.buffer.subarray(0, length), at);
      this.#add(tally, this.#chunker.buffer, length);
      at = end;
    }
  }

  #storeLive(tally: Tally, { path, sizeBytes, pagesBytes, pages }: LiveFile): BytesRead {
    const fd = openSource(path);
    try {
      const ends: number[] = [];
      for (let at = 0; at < sizeBytes; ends.push(at)) at = Math.min(at + pagesBytes, sizeBytes);
      const inspector = new Inspector({ fd, checks: pages });
      const from = { kind: 'live', fd, end: sizeBytes } as const;
      this.#storeRange(tally, { kind: 'range', from, start: 0, ends }, inspector);
      return inspector.result();
    } finally {
      closeSync(fd);
    }
  }

  #storeFile(tally: Tally, path: RawPath, sizeBytes: number): 'large' | void {
    const fd = openSource(path);
    try {
      if (sizeBytes >= this.#chunker.limits.minBytes) return this.#storeChunks(tally, fd);
      // A regular file gives all it has at once; the byte more shows that it didn't grow.
      const got = readSync(fd, this.#chunker.buffer, 0, sizeBytes + 1, 0);
      return got === sizeBytes ? this.#add(tally, this.#chunker.buffer, got) : this.#storeChunks(tally, fd);
    } finally {
      closeSync(fd);
    }
  }

  #storeChunks(tally: Tally, fd: number): 'large' | void {
    if (!fstatSync(fd).isFile()) throw new HoldfastError('source-failed', 'it is no regular file any more');
    const cutter = new Cutter(this.#chunker, readerOf({ kind: 'descriptor', fd }), 0);
    for (let chunk = cutter.next(); chunk; chunk = cutter.next()) {
      this.#sealer.add(tally, 'data', chunk);
      if (cutter.position > maxFileBytes) return 'large';
    }
  }

  #add(tally: Tally, bytes: Uint8Array, length: number): void {
    if (length > 0) this.#sealer.add(tally, 'data', bytes.subarray(0, length));
  }
}

function inspectorOf({ from, pages, look }: RangeRequest): Inspector | undefined {
  if (from.kind === 'live') return new Inspector({ fd: from.fd, checks: pages });
  return look === undefined ? undefined : new Inspector();
}

/** What can't be read fails by itself; a defect ends the worker, and with it the writer. */
function outcomeOf(store: (tally: Tally) => 'large' | void): ContentOutcome {
  const tally = new Tally();
  try {
    const kind = store(tally) ?? 'stored';
    return { kind, stored: tally };
  } catch (error) {
    if (isReadError(error)) return { kind: 'failed', reason: reasonOf(error) };
    throw error;
  }
}

/** A part of a pack, or why there is none. */
function attempt(read: () => Slice): Slice | (ContentOutcome & { kind: 'failed' }) {
  try {
    return read();
  } catch (error) {
    if (isReadError(error)) return { kind: 'failed', reason: reasonOf(error) };
    throw error;
  }
}

function isReadError(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === 'source-failed' || error.code === 'damaged';
  return error instanceof Error && 'syscall' in error;
}

export function serveStoring(): void {
  let worker: StoringWorker | undefined;
  serveRequests<Request, Reply | SealedPart>((request, send) => {
    if (request.kind === 'set-up') {
      worker = new StoringWorker(request, send);
      return undefined;
    }
    if (!worker) throw new HoldfastError('internal', 'a worker was asked before it was set up');
    return worker.answer(request);
  });
}

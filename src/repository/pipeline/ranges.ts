import type { Chunking, Cut, PageChecks } from '../content.ts';
import type { StoredContent } from '../repository.ts';
import { largestChunkOf } from './chunk-sizes.ts';
import { fromColumns } from './outcomes.ts';
import type { Bytes, CutReply, CutRequest, RangeRequest, StoreReply } from './protocol.ts';
import { joined, nothingStored, storedBy } from './stored.ts';

/** A content that several workers read at once. */
export interface SharedBytes {
  /** For people, in errors. */
  readonly name: string;
  readonly bytes: Bytes;
  /** Where it begins; undefined: at 0. */
  readonly start?: number;
  /**
   * Waits until chunks from `start` on can be cut, the largest of which has `largestChunk` bytes: cuts may be asked
   * for as long as a chunk starts before the answer. Infinity: until the content ends, at `end`.
   */
  cuttable(start: number, largestChunk: number): Promise<number>;
  /** As far as it is known; a file may have changed meanwhile. */
  readonly end: number;
  /** Nothing before this position is needed any more. */
  release(before: number): void;
  readonly pages?: PageChecks | undefined;
  readonly look?: 'crc32c' | undefined;
}

export interface RangeCrew {
  readonly workers: number;
  readonly chunking: Chunking;
  cut(request: CutRequest): Promise<CutReply>;
  store(request: RangeRequest): Promise<StoreReply>;
}

/** Cut ahead at a time: some chunks for each worker. */
const cutAheadBytes = 8 * 2 ** 20;
/** Small chunks share a request. */
const requestBytes = 2 ** 20;

/**
 * Stores one content by ranges: a worker finds the next cuts while others read, hash and seal the chunks before. What
 * became shorter since it was cut ends earlier, and the size says so.
 */
export async function storeRanges(crew: RangeCrew, shared: SharedBytes, cut: Cut): Promise<StoredContent> {
  const storing = new RangesUnderWay(crew, shared);
  try {
    for (let start = shared.start ?? 0, atEnd = false; !atEnd;) {
      const cuts = await nextCuts(crew, shared, cut, start);
      for (const request of requests(start, cuts.ends)) await storing.begin(request.start, request.ends);
      start = cuts.ends.at(-1) ?? start;
      atEnd = cuts.atEnd;
    }
  } finally {
    await storing.settled();
  }
  return storing.result();
}

type Cuts = Pick<CutReply, 'ends' | 'atEnd'>;

async function nextCuts(crew: RangeCrew, shared: SharedBytes, cut: Cut, start: number): Promise<Cuts> {
  if (cut !== 'rabin') return pageCuts(shared, cut.pagesBytes, start);
  const until = await shared.cuttable(start, largestChunkOf(crew.chunking));
  const untilAtLeast = Math.min(until, start + cutAheadBytes);
  return crew.cut({ kind: 'cut', from: shared.bytes, start, untilAtLeast });
}

async function pageCuts(shared: SharedBytes, pagesBytes: number, start: number): Promise<Cuts> {
  const until = await shared.cuttable(start, pagesBytes);
  const last = Math.min(shared.end, until, start + cutAheadBytes);
  const ends: number[] = [];
  for (let end = start; end < last; ends.push(end)) end = Math.min(end + pagesBytes, shared.end);
  return { ends, atEnd: until === Infinity && (ends.at(-1) ?? start) >= shared.end };
}

function* requests(start: number, ends: readonly number[]): Generator<{ start: number; ends: readonly number[] }> {
  let from = start;
  let taken: number[] = [];
  for (const end of ends) {
    taken.push(end);
    if (end - from < requestBytes && end !== ends.at(-1)) continue;
    yield { start: from, ends: taken };
    from = end;
    taken = [];
  }
}

/** So many requests for each worker are under way or wait. */
const requestsPerWorker = 3;

class RangesUnderWay {
  readonly #crew: RangeCrew;
  readonly #shared: SharedBytes;
  readonly #results: StoredContent[] = [];
  /** By start, in ascending order. */
  readonly #running = new Map<number, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(crew: RangeCrew, shared: SharedBytes) {
    this.#crew = crew;
    this.#shared = shared;
  }

  async begin(start: number, ends: readonly number[]): Promise<void> {
    const limit = this.#crew.workers * requestsPerWorker;
    while (this.#running.size >= limit) await Promise.race(this.#running.values());
    this.#throwFailure();
    const number = this.#results.push(nothingStored) - 1;
    this.#running.set(start, this.#store(number, start, ends));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  result(): StoredContent {
    this.#throwFailure();
    return joined(this.#results);
  }

  /** Never rejects: the next call tells. */
  async #store(number: number, start: number, ends: readonly number[]): Promise<void> {
    try {
      const { bytes: from, pages, look } = this.#shared;
      const reply = await this.#crew.store({ kind: 'range', from, start, ends, pages, look });
      for (const outcome of fromColumns(reply.contents)) {
        this.#results[number] = storedBy(outcome, this.#shared.name, reply.read?.[0]);
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running.delete(start);
    const [first = ends.at(-1) ?? start] = this.#running.keys();
    this.#shared.release(first);
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

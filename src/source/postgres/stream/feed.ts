import { HoldfastError } from '../../../errors/error.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { Extent } from '../../../log/log.ts';

/** A segment as far as it has come. */
export interface HeldSegment {
  /** Rises by one from segment to segment, over all epochs. */
  readonly sequence: number;
  readonly extent: Extent;
  /** Of the whole segment; zeros from `end` on. */
  readonly bytes: Uint8Array;
  /** What stands before it is of an older epoch, or lost. */
  readonly since: bigint;
  /** Up to here it has come. */
  readonly end: bigint;
  /** 'partial': its epoch ended within it; 'cut': the server has lost what follows. */
  readonly state: 'open' | 'whole' | 'partial' | 'cut';
  /** Resolves when it is open no more. */
  readonly closed: Promise<void>;
}

/** Who takes segments from a feed, one after another. */
export interface Reader {
  readonly required: boolean;
  /** The one that it needs next; undefined while it doesn't know. */
  readonly sequence: number | undefined;
}

interface Growing extends HeldSegment {
  end: bigint;
  state: HeldSegment['state'];
  readonly close: () => void;
}

/** Whole segments that wait for readers; more of them hold the server up. */
const mostHeldBytes = 32 * 2 ** 20;

/**
 * The newest of the log, between the server and the places that it goes to. A segment is held until every place has it;
 * when too many are held, until one required place has it, from which the others are filled. Where none has it the server
 * is not read any further: it keeps its log itself.
 */
export class Feed {
  readonly #segmentBytes: bigint;
  readonly #mostHeld: number;
  readonly #readers: () => readonly Reader[];
  readonly #segments: Growing[] = [];
  #next = 0;
  /** Where the next bytes begin: before the end, while what is held is held against what comes again. */
  #cursor = 0n;
  #changed = Promise.withResolvers<void>();

  constructor({ segmentBytes, readers }: { readonly segmentBytes: number; readonly readers: () => readonly Reader[] }) {
    this.#segmentBytes = BigInt(segmentBytes);
    this.#mostHeld = Math.max(1, Math.floor(mostHeldBytes / segmentBytes));
    this.#readers = readers;
  }

  /** Where the next bytes go; undefined before `begin`. */
  get end(): { readonly epoch: number; readonly at: bigint } | undefined {
    const last = this.#segments.at(-1);
    return last && { epoch: last.extent.epoch, at: last.end };
  }

  /** The first that is held. */
  get oldest(): HeldSegment | undefined {
    return this.#segments[0];
  }

  /** Goes on at the beginning of a segment, whatever came before, and lets go of what is too much. */
  begin(epoch: number, at: bigint, since: bigint = at): void {
    this.#open({ epoch, from: at, to: at + this.#segmentBytes }, since);
  }

  /**
   * Where another connection begins: at the beginning of the segment that is open. What comes again has to be the same,
   * for another server may answer by now, with another history.
   */
  resume(): { readonly epoch: number; readonly at: bigint } | undefined {
    const last = this.#segments.at(-1);
    if (last === undefined) return undefined;
    this.#cursor = last.state === 'open' ? last.extent.from : last.end;
    return { epoch: last.extent.epoch, at: this.#cursor };
  }

  /** Begins at a lower position, as if nothing had come. */
  reset(): void {
    this.close('cut');
    this.#segments.length = 0;
    this.#wake();
  }

  /** Closes the segment that is open. */
  close(state: 'partial' | 'cut'): void {
    const last = this.#segments.at(-1);
    if (last?.state === 'open') this.#close(last, last.end === last.extent.from ? 'cut' : state);
  }

  /** Takes what came from the server; waits while too much is held. */
  async put(from: bigint, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    let rest = bytes;
    if (from !== this.#cursor)
      throw new HoldfastError('source-failed', 'the server sent another part of its log than was asked for');
    while (rest.length > 0) {
      const segment = await this.#writable(signal);
      const part = rest.subarray(0, Number(segment.extent.to - this.#cursor));
      this.#take(segment, part);
      rest = rest.subarray(part.length);
    }
    this.#wake();
  }

  #take(segment: Growing, part: Uint8Array): void {
    const offset = Number(this.#cursor - segment.extent.from);
    const known = part.subarray(0, Math.max(0, Number(segment.end - this.#cursor)));
    if (Buffer.compare(known, segment.bytes.subarray(offset, offset + known.length)) !== 0)
      throw new HoldfastError(
        'log-conflict',
        'the server’s log is by now another than what it sent: two clusters write one log',
      );
    segment.bytes.set(part, offset);
    this.#cursor += BigInt(part.length);
    if (this.#cursor > segment.end) segment.end = this.#cursor;
    if (segment.end === segment.extent.to) this.#close(segment, 'whole');
  }

  /** The segment of a sequence once it has come; undefined where it is not held any more. */
  async segment(sequence: number, signal: AbortSignal): Promise<HeldSegment | undefined> {
    for (;;) {
      const found = this.held(sequence);
      if (found !== undefined) return found;
      if (sequence < this.#next) return undefined;
      await this.#change(signal);
    }
  }

  /** What is held of a sequence just now. */
  held(sequence: number): HeldSegment | undefined {
    return this.#segments.find((one) => one.sequence === sequence);
  }

  /** The first that reaches beyond a position, or is open; undefined before `begin`. */
  find(at: bigint): HeldSegment | undefined {
    return this.#segments.find(({ extent, state }) => extent.to > at || state === 'open') ?? this.#segments.at(-1);
  }

  /** Resolves at the next change of what is held. */
  async #change(signal: AbortSignal): Promise<void> {
    await orAborted(this.#changed.promise, signal);
  }

  /** Resolves once something is held. */
  async begun(signal: AbortSignal): Promise<void> {
    while (this.#segments.length === 0) await this.#change(signal);
  }

  /** A reader has gone on: what nobody needs is let go. */
  passed(): void {
    while (this.#isDone(this.#segments[0])) this.#segments.shift();
    this.#wake();
  }

  async #writable(signal: AbortSignal): Promise<Growing> {
    const last = this.#segments.at(-1);
    if (last === undefined) throw new HoldfastError('internal', 'the log was not begun');
    if (last.state === 'open') return last;
    while (this.#isFull()) await this.#change(signal);
    const from = this.#cursor;
    return this.#open({ epoch: last.extent.epoch, from, to: from + this.#segmentBytes }, from);
  }

  #isFull(): boolean {
    while (this.#segments.filter(({ state }) => state !== 'open').length >= this.#mostHeld) {
      const [oldest] = this.#segments;
      if (oldest === undefined || !this.#isElsewhere(oldest)) return true;
      this.#segments.shift();
    }
    return false;
  }

  #open(extent: Extent, since: bigint): Growing {
    this.close('cut');
    while (this.#segments.length > this.#mostHeld) this.#segments.shift();
    this.#cursor = extent.from;
    const { promise, resolve } = Promise.withResolvers<void>();
    const segment: Growing = {
      sequence: this.#next++,
      extent,
      bytes: new Uint8Array(Number(this.#segmentBytes)),
      since,
      end: extent.from,
      state: 'open',
      closed: promise,
      close: resolve,
    };
    this.#segments.push(segment);
    this.#wake();
    return segment;
  }

  #close(segment: Growing, state: HeldSegment['state']): void {
    segment.state = state;
    segment.close();
    this.#wake();
  }

  #isDone(segment: HeldSegment | undefined): boolean {
    if (segment === undefined || segment.state === 'open' || this.#segments.length === 1) return false;
    return this.#readers().every(({ sequence }) => sequence !== undefined && sequence > segment.sequence);
  }

  #isElsewhere({ sequence }: HeldSegment): boolean {
    return this.#readers().some((reader) => reader.required && (reader.sequence ?? 0) > sequence);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

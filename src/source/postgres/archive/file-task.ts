import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { hasCode, type HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Extent } from '../../../log/log.ts';
import { parseSegmentName, segmentStart } from '../wal/segment.ts';
import { isConflict, type ArchivePlace } from './place.ts';
import { wishOf, type Wish } from './ready.ts';
import type { Spool } from './spool.ts';
import type { Warnings } from './warnings.ts';

/** Who hands files over, and where they have to be before it is told that they are safe. */
export interface Handing {
  /** pg_wal. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly spool: Spool;
  readonly required: readonly ArchivePlace[];
  readonly clock: Clock;
  readonly warnings: Warnings;
  /** Told of each segment that every required place has. */
  readonly onStored?: (extent: Extent) => void;
}

/** A file that is wrong itself is looked at again after so long: somebody may have mended what is in its way. */
const wrongFileMs = 30_000;

interface TaskOptions {
  readonly name: string;
  readonly wish: Wish;
  /** It has failed for the first time, or once more. */
  readonly onFailure: () => void;
}

/** One wish of the server: to have one file stored. How it comes to a place is the lane's business. */
export class FileTask {
  readonly name: string;
  readonly wish: Wish;
  readonly #handing: Handing;
  /** Required places that have it. */
  readonly #done = new Set<ArchivePlace>();
  readonly #takenIn = new Map<ArchivePlace, HoldfastError>();
  readonly #onFailure: () => void;
  #over: 'stored' | 'dropped' | undefined;
  /** How many lanes are at it. */
  #lanes = 0;
  #coming: Disposable | undefined;
  #wrong: { readonly error: HoldfastError; readonly untilMs: number } | undefined;
  #sizeBytes: number | undefined;

  constructor(handing: Handing, { name, wish, onFailure }: TaskOptions) {
    this.#handing = handing;
    this.#onFailure = onFailure;
    this.name = name;
    this.wish = wish;
  }

  /** Marked, or wished for no more in this way. */
  get isOver(): boolean {
    return this.#over !== undefined;
  }

  get isStored(): boolean {
    return this.#over === 'stored';
  }

  /** In every required place. */
  get isDurable(): boolean {
    return this.#handing.required.every((place) => this.#done.has(place));
  }

  get isDropped(): boolean {
    return this.#over === 'dropped';
  }

  get isRunning(): boolean {
    return this.#lanes > 0;
  }

  isDueIn(place: ArchivePlace): boolean {
    return !this.isOver && !this.#done.has(place);
  }

  /**
   * Another's stands under its name: what comes behind it in the log is none of what stands there, whatever else is wrong
   * with the file, and though it was dropped.
   */
  get conflict(): HoldfastError | undefined {
    return this.isStored ? undefined : this.#takenIn.values().next().value;
  }

  /** Places in which it does. */
  get takenIn(): ReadonlySet<ArchivePlace> {
    return new Set(this.#takenIn.keys());
  }

  /** Whether nobody could say yet what stands there under its name. */
  get isWrong(): boolean {
    return !this.isOver && this.#wrong !== undefined;
  }

  /** Why nothing can be done about it just now. */
  get stopped(): HoldfastError | undefined {
    if (this.#wrong !== undefined && this.#handing.clock.monotonicMs() < this.#wrong.untilMs) return this.#wrong.error;
    const away = this.#handing.required.filter((place) => this.isDueIn(place)).map((place) => place.away);
    return away.every((one) => one !== undefined) ? away[0] : undefined;
  }

  /** Whether the server still wishes this, and no other file of the same name. */
  get isWished(): boolean {
    return wishOf(this.#handing.dataDirectory, this.name)?.id === this.wish.id;
  }

  /** Told to the shell until it is disposed of, and so until after the marker. */
  begun(): Disposable {
    if (this.#lanes++ === 0) this.#coming = this.#handing.spool.begun(this.name);
    return {
      [Symbol.dispose]: () => {
        if (--this.#lanes === 0) this.#coming?.[Symbol.dispose]();
      },
    };
  }

  /** Whether it is the first that has it. */
  async takenBy(place: ArchivePlace): Promise<'first' | 'then'> {
    const which = this.#done.size === 0 ? 'first' : 'then';
    this.#done.add(place);
    if (this.#takenIn.delete(place) && this.#takenIn.size === 0) this.#wrong = undefined;
    await this.settle();
    return which;
  }

  /**
   * Marks it where every required place has it: the server may have its success. 'no room' where no marker can be made just
   * now, and this is to be said again.
   */
  async settle(): Promise<'no room' | undefined> {
    const { spool, warnings } = this.#handing;
    if (this.isOver || !this.isDurable) return undefined;
    if (this.extent !== undefined) this.#handing.onStored?.(this.extent);
    try {
      if (this.isWished) await spool.mark(this.name, this.wish);
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
      warnings.once(`what is stored can’t be marked, and the server keeps it: ${error.message}`);
      return 'no room';
    }
    this.#over = 'stored';
    return undefined;
  }

  /** It is wrong itself, or another's stands under its name in this place. */
  async fail(error: HoldfastError, place: ArchivePlace): Promise<void> {
    if (isConflict(error)) this.#takenIn.set(place, error);
    this.#wrong = { error, untilMs: this.#handing.clock.monotonicMs() + wrongFileMs };
    this.#onFailure();
    await this.#handing.spool.fail(this.name, error);
  }

  /** It will never be stored: the server may have its space back. */
  async drop(): Promise<void> {
    await this.#handing.spool.mark(this.name, this.wish);
    this.#over = 'dropped';
  }

  sizeBytes(): number {
    return (this.#sizeBytes ??= this.#statSize()) ?? 1;
  }

  /** Of a segment; undefined of any other file, and of what is gone. */
  get extent(): Extent | undefined {
    const from = this.startOf(this.name);
    const sizeBytes = this.#sizeBytes;
    if (from === undefined || sizeBytes === undefined) return undefined;
    return { epoch: Number.parseInt(this.name.slice(0, 8), 16), from, to: from + BigInt(sizeBytes) };
  }

  /** Where a segment begins in the log, if they are of this one's size; undefined of any other file. */
  startOf(name: string): bigint | undefined {
    const at = parseSegmentName(name);
    return at?.kind === 'whole' ? segmentStart(at, this.sizeBytes()) : undefined;
  }

  #statSize(): number | undefined {
    try {
      return Math.max(1, statSync(join(this.#handing.folder, this.name)).size);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined; // whoever reads it says what is wrong
    }
  }
}

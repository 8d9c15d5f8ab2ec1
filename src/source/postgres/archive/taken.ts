import { HoldfastError } from '../../../errors/error.ts';
import type { Extent } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';

/** Where a segment begins that is another's. */
export type TakenAt = Pick<Extent, 'epoch' | 'from'>;

/** What outlives the worker. */
export interface TakenNotes {
  readonly noted: readonly TakenAt[];
  readonly add: (at: TakenAt) => Promise<void>;
  readonly forget: (at: TakenAt) => void;
}

/**
 * From where on, by timelines, another's log stands in a place under the names of the server's own: nothing is put behind it
 * there, nor copied from there to others. What was dropped can't be held against it any more, so that it is noted until the
 * server's own is found there, or nothing is from there on.
 */
export class Taken {
  readonly #from: Map<number, bigint>;
  readonly #notes: TakenNotes | undefined;

  constructor(notes?: TakenNotes) {
    this.#notes = notes;
    const noted = (notes?.noted ?? []).toSorted((a, b) => Number(b.from - a.from));
    this.#from = new Map(noted.map(({ epoch, from }) => [epoch, from]));
  }

  /** Whether this is another's, or stands behind it. */
  has({ epoch, from }: TakenAt): boolean {
    const at = this.#from.get(epoch);
    return at !== undefined && from >= at;
  }

  /** 'log-conflict' where it would stand behind it; what stands there itself is compared. */
  assertNotBehind({ epoch, from }: TakenAt, repository: string): void {
    const at = this.#from.get(epoch);
    if (at === undefined || from <= at) return;
    throw new HoldfastError(
      'log-conflict',
      `nothing is stored in ${repository} behind ${lsnText(at)} of timeline ${epoch}: another’s log stands there under the names of this server’s`,
      {
        next: `Keep the other server from it, or this one. See \`docs/errors/log-conflict.md\` for how to go on there.`,
      },
    );
  }

  /** Noted, and lasting, when it resolves. */
  async add(at: TakenAt): Promise<void> {
    if (this.has(at)) return;
    const before = this.#from.get(at.epoch);
    this.#from.set(at.epoch, at.from);
    await this.#notes?.add(at);
    if (before !== undefined) this.#notes?.forget({ epoch: at.epoch, from: before });
  }

  /** The server's own stands there. */
  release({ epoch, from }: TakenAt): void {
    if (this.#from.get(epoch) !== from) return;
    this.#from.delete(epoch);
    this.#notes?.forget({ epoch, from });
  }

  /** The first of another's segments goes first, as out of the window: what is left behind it is another's still. */
  keepOnly(segments: readonly TakenAt[]): void {
    for (const [epoch, from] of this.#from)
      if (!segments.some((one) => one.epoch === epoch && one.from >= from)) this.release({ epoch, from });
  }
}

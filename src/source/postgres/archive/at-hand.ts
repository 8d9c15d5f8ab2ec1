import type { FileTask } from './file-task.ts';
import type { LogFile } from './log-file.ts';
import type { Packed, Packing } from './packing.ts';

/** What is in memory at the same time, as segments: packed by one thread, waiting for another, sealed, on its way. */
const mostBytes = 128 * 2 ** 20;

/** By which a file is known, as long as it is one and the same. */
type Known = Pick<FileTask, 'name' | 'sizeBytes'>;

interface Held {
  readonly sizeBytes: number;
  readonly packed: Promise<Packed>;
  holders: number;
}

/** One of those who have a file at hand; it is given up when it is disposed of. */
export interface Holding extends Disposable {
  /** Rejects where the file isn't what it should be. */
  file(): Promise<LogFile>;
  /** For somebody else, who may need it for longer. */
  again(): Holding;
}

/**
 * The files that are in memory, each once, whoever is at it; who comes to one later reads it anew, as long as the server
 * keeps it. Each lane has a share of its own, so that what a slow one holds never keeps another from its work: in all no
 * more than twice what one alone may hold, or a segment a lane.
 */
export class AtHand {
  readonly #packing: Pick<Packing, 'read'>;
  readonly #shareBytes: number;
  readonly #held = new Map<Known, Held>();

  constructor(packing: Pick<Packing, 'read'>, lanes: number) {
    this.#packing = packing;
    this.#shareBytes = Math.floor(mostBytes / lanes);
  }

  /** Whether a lane that holds so many bytes may have this one beside them. */
  hasRoomFor(task: Known, ownBytes: number): boolean {
    if (this.#held.has(task)) return true;
    const bytes = [...this.#held.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, task.sizeBytes());
    return bytes <= mostBytes || ownBytes + task.sizeBytes() <= this.#shareBytes;
  }

  hold(task: Known): Holding {
    const held = this.#held.getOrInsertComputed(task, () => {
      return { sizeBytes: task.sizeBytes(), packed: this.#packing.read(task.name), holders: 0 };
    });
    held.holders++;
    let isGivenUp = false;
    return {
      file: async () => (await held.packed).file,
      again: () => this.hold(task),
      [Symbol.dispose]: () => {
        if (!isGivenUp && --held.holders === 0) this.#giveUp(task, held);
        isGivenUp = true;
      },
    };
  }

  /** Who gave it up may have done so while it was read. */
  #giveUp(task: Known, { packed }: Held): void {
    this.#held.delete(task);
    void packed.then(
      ({ free }) => free(),
      () => undefined, // whoever waited for it was told
    );
  }
}

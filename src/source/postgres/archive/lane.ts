import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { AtHand, Holding } from './at-hand.ts';
import type { FileTask } from './file-task.ts';
import type { Filling } from './filling.ts';
import { mostAhead, type LogFile } from './log-file.ts';
import { isOfFile, type ArchivePlace } from './place.ts';
import { isSegment, timelineOf, type Tasks } from './tasks.ts';

/** What may come to be done about a file. */
export interface Due {
  readonly task: FileTask;
  /** A push waits for it, or nobody does yet. */
  readonly why: 'wanted' | 'ahead';
}

interface LaneOptions {
  readonly place: ArchivePlace;
  readonly tasks: Tasks;
  readonly atHand: AtHand;
  readonly filling: Pick<Filling, 'offer'>;
  /** One of its files has come to an end there, with what is a defect, if anything. */
  readonly onEnd: (fault?: { readonly error: unknown }) => void;
}

const mostAtOnce = 6;

/**
 * The way of the files to one required place, several at a time in their order. How slow another place is, is no concern
 * of this one. Once the place has failed one file at a time goes there, until one comes through: then all others do.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #running = new Map<FileTask, Promise<void>>();
  /** Timelines of which it has taken a segment; of any other another's may stand there: then it is one after the other. */
  readonly #ours = new Set<string>();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** As many as may be under way, the first of those that are due first. */
  begin(due: readonly Due[], marked: number): void {
    const { place, tasks } = this.#options;
    for (const { task, why } of due) {
      if (place.away !== undefined || this.#running.size >= mostAtOnce) return;
      if (!task.isDueIn(place) || this.#running.has(task)) continue;
      if (task.stopped !== undefined || tasks.inTheWayOf(task.name, place) !== undefined) continue;
      if (this.#isBehindUnknown(task)) continue;
      if (!this.#mayBegin(task, why, marked)) return;
      if (tasks.isCurrent(task)) this.#begin(task);
    }
  }

  #mayBegin(task: FileTask, why: Due['why'], marked: number): boolean {
    const { place, tasks, atHand } = this.#options;
    if (why === 'ahead' && (tasks.hasConflict || marked + this.#running.size >= mostAhead)) return false;
    if (this.#running.size === 0) return true;
    if (place.isFailing || !this.#isOurs(task)) return false;
    const ownBytes = [...this.#running.keys()].reduce((sum, one) => sum + one.sizeBytes(), 0);
    return atHand.hasRoomFor(task, ownBytes);
  }

  /** Whether nobody else's can stand before it there; where it may, it is one after the other. */
  #isOurs(task: FileTask): boolean {
    return this.#ours.has(timelineOf(task.name)) && this.#isAnothersBefore(task) === false;
  }

  /** What stands there before it may be another's, while the server's own can't be held against it: nothing is put behind that. */
  #isBehindUnknown(task: FileTask): boolean {
    return this.#options.tasks.isAnyWrongBefore(task.name) && this.#isAnothersBefore(task) === true;
  }

  /** undefined: nobody knows before the place is opened. */
  #isAnothersBefore(task: FileTask): boolean | undefined {
    const timeline = timelineOf(task.name);
    const lowest = this.#options.tasks.lowestOf(timeline);
    const [from, to] = [lowest, task.name].map((name) => task.startOf(name ?? task.name));
    if (from === undefined || to === undefined) return false; // of no segment: nothing comes behind it
    return this.#options.place.mayBeAnothers({ epoch: Number.parseInt(timeline, 16), from, to });
  }

  #begin(task: FileTask): void {
    const ended = (fault?: { readonly error: unknown }): void => {
      this.#running.delete(task);
      this.#options.onEnd(fault);
    };
    const running = this.#give(task).then(
      () => ended(),
      (error: unknown) => ended({ error }),
    );
    this.#running.set(task, running);
  }

  /** Rejects with what is a defect, or is wrong with the spool. */
  async #give(task: FileTask): Promise<void> {
    const { place, tasks, atHand } = this.#options;
    using _begun = task.begun();
    using held = atHand.hold(task);
    const file = await this.#read(task, held);
    if (file === undefined || tasks.inTheWayOf(task.name, place) !== undefined) return; // as may be found out while it is read
    if (!(await this.#take(task, file, held))) return;
    if (isSegment(task.name)) this.#ours.add(timelineOf(task.name));
    if ((await task.takenBy(place)) === 'first') this.#offer(held);
  }

  async #read(task: FileTask, held: Holding): Promise<LogFile | undefined> {
    try {
      return await held.file();
    } catch (error) {
      if (!isFailure(error)) throw error;
      await task.fail(error, this.#options.place);
      return undefined;
    }
  }

  /** What is wrong with the place leaves it alone for a time; that the worker ends is nothing to tell. */
  async #take(task: FileTask, file: LogFile, held: Holding): Promise<boolean> {
    const { place, tasks } = this.#options;
    try {
      if (tasks.isAnyWrongBefore(task.name)) await place.use(async () => undefined); // by then it is known what it holds
      if (this.#isBehindUnknown(task)) return false;
      await place.take(file, held);
      return true;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (isOfFile(error)) await task.fail(error, place);
      return false;
    }
  }

  #offer(held: Holding): void {
    const own = held.again();
    const offered = held.file().then(async (file) => await this.#options.filling.offer(file, own));
    void offered.finally(() => own[Symbol.dispose]());
  }
}

/** What may be told, and tried again. */
function isFailure(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && !hasCode(error, 'internal');
}

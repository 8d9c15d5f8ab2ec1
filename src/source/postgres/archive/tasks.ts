import { HoldfastError } from '../../../errors/error.ts';
import { FileTask, type Handing } from './file-task.ts';
import type { Extent } from '../../../log/log.ts';
import { kindOfLogFile } from './log-file.ts';
import type { ArchivePlace } from './place.ts';
import { wishOf, type Wish } from './ready.ts';

/** The files that a server hands over: of each what became of it, and what is in its way. */
export class Tasks {
  readonly #handing: Handing;
  /** Under way, or with a wish that is not over yet. */
  readonly #tasks = new Map<string, FileTask>();
  /** That have failed; of those that were dropped where another's stands, until the worker ends. */
  readonly #failed = new Set<FileTask>();
  /** The first segment of each timeline that the server hands over. */
  #lowest: ReadonlyMap<string, string> = new Map();

  constructor(handing: Handing) {
    this.#handing = handing;
  }

  get hasConflict(): boolean {
    return [...this.#failed].some((task) => task.conflict !== undefined && !task.isDropped && this.#isKnown(task));
  }

  isRunning(name: string): boolean {
    return this.#tasks.get(name)?.isRunning ?? false;
  }

  /** Durable in every required place, marked or not, as far as this is remembered. */
  isDurable(name: string): boolean {
    return this.#tasks.get(name)?.isDurable ?? false;
  }

  /** Durable in every required place, and marked, as far as this is remembered. */
  isStored(name: string): boolean {
    return this.#tasks.get(name)?.isStored ?? false;
  }

  /** The first segment of a timeline. */
  lowestOf(timeline: string): string | undefined {
    return this.#lowest.get(timeline);
  }

  /** What they are of the log. */
  extentsOf(names: readonly string[]): readonly Extent[] {
    return names.flatMap((name) => this.#tasks.get(name)?.extent ?? []);
  }

  /** Whether the server hands this over, or something before it on its timeline. */
  isToCome({ epoch, from }: Extent): boolean {
    const lowest = this.#lowest.get(epoch.toString(16).toUpperCase().padStart(8, '0'));
    const at = lowest === undefined ? undefined : this.#tasks.get(lowest)?.startOf(lowest);
    return at !== undefined && from >= at;
  }

  /** Forgets what was consumed, and what is over for the server. */
  keep(ready: readonly string[], marked: readonly string[]): void {
    const kept = new Set([...ready, ...marked]);
    for (const [name, task] of this.#tasks) if (!kept.has(name) && !task.isRunning) this.#tasks.delete(name);
    for (const task of this.#failed) if (!this.#isStanding(task)) this.#failed.delete(task);
    const segments = ready.filter(isSegment).toReversed();
    this.#lowest = new Map(segments.map((name) => [timelineOf(name), name]));
  }

  /** What is to be done about a file; one that was done is begun anew only where a push waits, which found no marker. */
  due(name: string, isWanted: boolean): FileTask | undefined {
    const known = this.#tasks.get(name);
    if (known !== undefined && (!known.isOver || known.isRunning)) return known;
    const wish = wishOf(this.#handing.dataDirectory, name);
    if (wish === undefined || (known?.wish.id === wish.id && !isWanted)) return undefined;
    return this.#new(name, wish);
  }

  /** Whether it is of the very wish that the server has now; otherwise the next look finds another in its place. */
  isCurrent(task: FileTask): boolean {
    if (task.isWished) return true;
    if (!task.isRunning && this.#tasks.get(task.name) === task) this.#tasks.delete(task.name);
    return false;
  }

  async drop(name: string): Promise<void> {
    const wish = wishOf(this.#handing.dataDirectory, name);
    const known = this.#tasks.get(name);
    if (wish === undefined) return;
    await (known !== undefined && known.wish.id === wish.id ? known : this.#new(name, wish)).drop();
  }

  /** Repositories where another's stands under a name of this timeline: all that comes behind it there is another's too. */
  takenIn(name: string): readonly string[] {
    const upTo = this.#failedOf(name).filter((task) => task.name <= name && !task.isStored);
    return [...new Set(upTo.flatMap(({ takenIn }) => [...takenIn].map(({ repository }) => repository)))];
  }

  /** Another's before it on its timeline; where that was dropped other places than this may go on. */
  inTheWayOf(name: string, place?: ArchivePlace): HoldfastError | undefined {
    const isInTheWay = (task: FileTask): boolean =>
      task.name < name && (place === undefined || !task.isDropped || task.takenIn.has(place));
    const one = this.#failedOf(name).find((task) => task.conflict !== undefined && isInTheWay(task));
    if (one?.conflict === undefined) return undefined;
    const { code, message, next } = one.conflict;
    return new HoldfastError(code, `nothing is stored behind ${one.name}: ${message}`, { cause: one.conflict, next });
  }

  /** Whether one before it on its timeline could not be held against what stands under its name. */
  isAnyWrongBefore(name: string): boolean {
    return this.#failedOf(name).some((task) => task.isWrong && task.name < name);
  }

  #new(name: string, wish: Wish): FileTask {
    const task: FileTask = new FileTask(this.#handing, { name, wish, onFailure: () => void this.#failed.add(task) });
    this.#tasks.set(name, task);
    return task;
  }

  /** The few of a timeline that have failed: many may wait behind them. */
  #failedOf(name: string): readonly FileTask[] {
    return [...this.#failed].filter((task) => timelineOf(task.name) === timelineOf(name) && this.#isStanding(task));
  }

  /** Who is handed over again finds out by itself. */
  #isStanding(task: FileTask): boolean {
    return this.#isKnown(task) || (task.isDropped && task.conflict !== undefined && !this.#tasks.has(task.name));
  }

  #isKnown(task: FileTask): boolean {
    return this.#tasks.get(task.name) === task;
  }
}

export const isSegment = (name: string): boolean => kindOfLogFile(name) === 'segment';
export const timelineOf = (name: string): string => name.slice(0, 8);

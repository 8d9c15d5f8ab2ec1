import { HoldfastError, hasCode } from '../../errors/error.ts';
import { transientCodes } from '../storage.ts';
import type { Archive, ArchivedObject } from '../archive.ts';
import type { ThawContext, ThawPlan } from '../thaw.ts';

/** Objects that are looked at in one round; the others have their turn once these can be read. */
const perRound = 50;

const shortestPauseMs = 60_000;
const longestPauseMs = 5 * 60_000;

/** Resolves once all that the plan names can be read. */
export async function thawed(archive: Archive, plan: ThawPlan, context: ThawContext): Promise<void> {
  const waiting = new Waiting(archive, plan, context);
  await waiting.run();
}

class Waiting {
  readonly #archive: Archive;
  readonly #plan: ThawPlan;
  readonly #context: ThawContext;
  readonly #startMs: number;
  readonly #all: readonly ArchivedObject[];
  #left: readonly ArchivedObject[];

  constructor(archive: Archive, plan: ThawPlan, context: ThawContext) {
    this.#archive = archive;
    this.#plan = plan;
    this.#context = context;
    this.#startMs = context.clock.monotonicMs();
    this.#all = [...plan.toRetrieve, ...plan.underWay];
    this.#left = this.#all;
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#context;
    while (this.#left.length > 0) {
      const [round, rest] = [this.#left.slice(0, perRound), this.#left.slice(perRound)];
      const still = await this.#notYet(round);
      this.#left = [...still, ...rest];
      this.#tell();
      if (still.length === 0) continue;
      this.#assertPatience();
      await clock.sleep(this.#pauseMs(), signal);
    }
  }

  /** A network that is away for a while is no reason to give up a wait of hours. */
  async #notYet(round: readonly ArchivedObject[]): Promise<readonly ArchivedObject[]> {
    try {
      const cold = await Promise.all(round.map(async (object) => ((await this.#isReady(object)) ? [] : [object])));
      return cold.flat();
    } catch (error) {
      if (!hasCode(error, ...transientCodes)) throw error;
      this.#context.listener({
        kind: 'warning',
        during: 'thaw',
        item: this.#plan.url,
        message: `${error.message}; the wait goes on`,
      });
      return round;
    }
  }

  async #isReady({ key }: ArchivedObject): Promise<boolean> {
    const { signal } = this.#context;
    const kind = (await this.#archive.stateOf(key, { signal }))?.state.kind ?? 'thawed';
    // A storage may need a moment until it shows what was asked for.
    if (kind !== 'archived' || this.#elapsedMs() < shortestPauseMs) return kind === 'thawed';
    throw new HoldfastError(
      'storage-archived',
      `${key} in ${this.#plan.url} was asked for, and it is not being thawed`,
      {
        next: 'Run the same command again: it asks once more for what needs it.',
      },
    );
  }

  /** Longer and longer: whoever waits for hours need not know to the minute. */
  #pauseMs(): number {
    const elapsedMs = this.#elapsedMs();
    const pauseMs = Math.min(longestPauseMs, Math.max(shortestPauseMs, elapsedMs / 10));
    return Math.max(1, Math.min(pauseMs, this.#plan.wishes.patienceMs - elapsedMs));
  }

  #elapsedMs(): number {
    return this.#context.clock.monotonicMs() - this.#startMs;
  }

  #assertPatience(): void {
    if (this.#elapsedMs() < this.#plan.wishes.patienceMs) return;
    const { length: left } = this.#left;
    const message = `${left} of ${this.#all.length} objects are still in the archive of ${this.#plan.url}`;
    throw new HoldfastError('storage-timeout', `${message} after the time of s3.restore-timeout`, {
      next: 'What was asked for goes on: run the same command again, later. It asks for nothing twice.',
    });
  }

  #tell(): void {
    const { mostMs } = this.#plan.usualTime ?? { mostMs: undefined };
    const leftMs = mostMs === undefined ? undefined : Math.max(0, mostMs - this.#elapsedMs());
    this.#context.listener({
      kind: 'progress',
      phase: 'waiting for the archive',
      doneBytes: bytesOf(this.#all) - bytesOf(this.#left),
      totalBytes: bytesOf(this.#all),
      doneItems: this.#all.length - this.#left.length,
      totalItems: this.#all.length,
      ...(leftMs === undefined ? {} : { remainingMs: leftMs }),
    });
  }
}

function bytesOf(objects: readonly ArchivedObject[]): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

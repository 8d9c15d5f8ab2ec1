import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Filling } from './filling.ts';
import { readLogFile } from './log-file.ts';
import type { ArchivePlace } from './place.ts';
import { wishOf } from './ready.ts';
import type { Spool } from './spool.ts';

/** What the worker hands files from, and to. */
export interface Handing {
  /** pg_wal. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly systemIdentifier: string;
  readonly spool: Spool;
  readonly places: readonly ArchivePlace[];
  readonly filling: Filling;
  readonly clock: Clock;
}

/** A file that is wrong itself is looked at again after so long: somebody may have mended what is in its way. */
const wrongFileMs = 30_000;

type TaskState = 'waiting' | 'running' | 'done';

/** One wish of the server: to have one file stored. */
export class FileTask {
  readonly name: string;
  readonly wish: string;
  readonly #handing: Handing;
  /** Required places that have it. */
  readonly #done = new Set<ArchivePlace>();
  #state: TaskState = 'waiting';
  #running: Promise<void> = Promise.resolve();
  #wrong: { readonly error: HoldfastError; readonly untilMs: number } | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(handing: Handing, name: string, wish: string) {
    this.#handing = handing;
    this.name = name;
    this.wish = wish;
  }

  get state(): TaskState {
    return this.#state;
  }

  get running(): Promise<void> {
    return this.#running;
  }

  /** It will never be stored: the server may have its space back. */
  async drop(): Promise<void> {
    this.#state = 'done';
    await this.#handing.spool.mark(this.name);
  }

  sizeBytes(): number {
    try {
      return Math.max(1, statSync(join(this.#handing.folder, this.name)).size);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return 1;
    }
  }

  /** Begins where something can be done now; otherwise tells a push that waits why not. Throws what is a defect. */
  start(why: 'wanted' | 'ahead'): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    const stopped = this.#stopped();
    if (stopped === undefined) this.#run(async () => await this.#store());
    else if (why === 'wanted' && !this.#handing.spool.isFailed(this.name))
      this.#run(async () => await this.#handing.spool.fail(this.name, stopped));
  }

  #run(body: () => Promise<void>): void {
    this.#state = 'running';
    this.#running = body().then(
      () => this.#ended(),
      (error: unknown) => {
        this.#fault = { error };
        this.#ended();
      },
    );
  }

  #ended(): void {
    if (this.#state === 'running') this.#state = 'waiting';
  }

  #missing(): readonly ArchivePlace[] {
    return this.#handing.places.filter((place) => place.required && !this.#done.has(place));
  }

  /** Why nothing can be done now. */
  #stopped(): HoldfastError | undefined {
    const { clock } = this.#handing;
    if (this.#wrong !== undefined && clock.monotonicMs() < this.#wrong.untilMs) return this.#wrong.error;
    const missing = this.#missing();
    const away = missing.flatMap((place) => place.away ?? []);
    return away.length === missing.length ? away[0] : undefined;
  }

  /** Each place by itself: one that fails holds up the marker, and no other place. */
  async #store(): Promise<void> {
    const { folder, name } = { folder: this.#handing.folder, name: this.name };
    const { systemIdentifier, spool, filling } = this.#handing;
    try {
      const file = await readLogFile(folder, name, systemIdentifier);
      const places = this.#missing().filter((place) => place.away === undefined);
      const results = await Promise.allSettled(places.map(async (place) => await this.#give(place, file)));
      const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      if (failed.length > 0) throw failed[0];
      if (this.#missing().length > 0) return;
      if (wishOf(this.#handing.dataDirectory, name) === this.wish) await spool.mark(name);
      this.#state = 'done';
      filling.offer(file);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      await this.#failed(error);
    }
  }

  async #give(place: ArchivePlace, file: Parameters<ArchivePlace['take']>[0]): Promise<void> {
    await place.take(file);
    this.#done.add(place);
  }

  async #failed(error: HoldfastError): Promise<void> {
    const isOfPlace = this.#missing().some((place) => place.away === error);
    if (!isOfPlace) this.#wrong = { error, untilMs: this.#handing.clock.monotonicMs() + wrongFileMs };
    await this.#handing.spool.fail(this.name, error);
  }
}

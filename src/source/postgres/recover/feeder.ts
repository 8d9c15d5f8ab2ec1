import { chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { LogFeed } from '../../recovery.ts';
import type { DataOwner } from '../sandbox-files.ts';
import { segmentNameAt, walFileOf } from './wal-name.ts';

export interface FeederOptions {
  /** On the file system of the data directory: what is ready is taken by a rename. */
  readonly spool: string;
  readonly feed: LogFeed;
  readonly segmentBytes: number;
  readonly owner: DataOwner | undefined;
  readonly clock: Clock;
}

const aheadBytes = 128 * 1024 * 1024;
const mostAtOnce = 4;
const pauseMs = 10;

export const spoolFolders = ['wanted', 'ready', 'absent', 'coming'] as const;

/** Hands a server the files of the log that it asks for (fetch-script.ts), those of the replay's order ahead of it. */
export class Feeder {
  readonly #options: FeederOptions;
  /** In the order of the replay. */
  readonly #order: readonly string[];
  readonly #coming = new Map<string, Promise<void>>();
  #next = 0;
  #wanted: readonly string[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(options: FeederOptions) {
    this.#options = options;
    const { feed, segmentBytes } = options;
    this.#order = feed.order.map(({ epoch, from }) => segmentNameAt(epoch, from, segmentBytes));
  }

  /** What an earlier replay left there, as the word of its failure, is gone. Makes its folders, which are the server's to write into, and the word of a failure: it needs no room then. */
  async open(): Promise<void> {
    await rm(this.#options.spool, { recursive: true, force: true });
    await mkdir(this.#options.spool, { recursive: true, mode: 0o700 });
    await this.#give(this.#options.spool);
    for (const folder of spoolFolders) {
      const path = join(this.#options.spool, folder);
      await mkdir(path, { recursive: true, mode: 0o700 });
      await this.#give(path);
    }
    await this.#draft('failed', new Uint8Array());
  }

  /** What the server has asked for and doesn't have yet. */
  get wanted(): readonly string[] {
    return this.#wanted;
  }

  /** Until it is aborted, or a file can't be had: then the server is told to stop, and this rejects. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted && this.#failure === undefined) {
      const [ready, wanted] = [new Set(await this.#names('ready')), await this.#names('wanted')];
      this.#wanted = wanted.filter((name) => !ready.has(name));
      for (const name of wanted) this.#ask(name, ready);
      this.#readAhead(ready.size);
      await this.#options.clock.sleep(pauseMs, until).catch(() => undefined); // the end of the server ends it
    }
    await Promise.allSettled(this.#coming.values());
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #ask(name: string, ready: ReadonlySet<string>): void {
    if (ready.has(name)) return;
    const at = this.#order.indexOf(name);
    if (at >= this.#next) this.#next = at + 1;
    this.#fetch(name);
  }

  #readAhead(ready: number): void {
    const most = Math.max(2, Math.floor(aheadBytes / this.#options.segmentBytes));
    while (this.#next < this.#order.length && this.#coming.size < mostAtOnce && ready + this.#coming.size < most)
      this.#fetch(this.#order[this.#next++] ?? '');
  }

  #fetch(name: string): void {
    if (this.#coming.has(name)) return;
    const done = this.#deliver(name)
      .catch(async (error: unknown) => await this.#fail(error))
      .finally(() => this.#coming.delete(name));
    this.#coming.set(name, done);
  }

  /** The first counts: others that were under way beside it often fail alike. */
  async #fail(error: unknown): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    await this.#show('failed');
  }

  async #deliver(name: string): Promise<void> {
    const ready = join('ready', name);
    if (await this.#bring(name, this.#draftOf(ready))) {
      await this.#give(this.#draftOf(ready));
      return await this.#show(ready);
    }
    await this.#draft(join('absent', name), new Uint8Array());
    await this.#show(join('absent', name));
  }

  /** False: it is certain that nobody holds it. */
  async #bring(name: string, path: string): Promise<boolean> {
    const { feed, segmentBytes } = this.#options;
    const file = walFileOf(name, segmentBytes);
    if (file.kind === 'other') return false;
    if (file.kind === 'history') {
      const history = await feed.history(file.epoch);
      if (history !== undefined) await writeFile(path, history, { mode: 0o600 });
      return history !== undefined;
    }
    const sizeBytes = await feed.segmentInto(file.epoch, file.from, path);
    if (sizeBytes === undefined || sizeBytes === segmentBytes) return sizeBytes !== undefined;
    throw new HoldfastError('damaged', `${name} of the log has ${sizeBytes} bytes in place of ${segmentBytes}`);
  }

  async #draft(name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(this.#draftOf(name), bytes, { mode: 0o600 });
    await this.#give(this.#draftOf(name));
  }

  async #show(name: string): Promise<void> {
    await rename(this.#draftOf(name), join(this.#options.spool, name));
  }

  #draftOf(name: string): string {
    return join(this.#options.spool, 'coming', name.replaceAll('/', '-'));
  }

  async #names(folder: (typeof spoolFolders)[number]): Promise<readonly string[]> {
    return await readdir(join(this.#options.spool, folder));
  }

  async #give(path: string): Promise<void> {
    const { owner } = this.#options;
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  }
}

import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { ForeignFolder } from '../../../host/foreign-folder.ts';
import type { LogFeed } from '../../recovery.ts';
import type { DataOwner } from '../sandbox-files.ts';
import { segmentNameAt, walFileOf } from './wal-name.ts';

export interface FeederOptions {
  /** In which the spool is made, on the file system of the data directory: what is ready is taken by a rename. */
  readonly own: ForeignFolder;
  readonly feed: LogFeed;
  readonly segmentBytes: number;
  readonly owner: DataOwner | undefined;
  readonly clock: Clock;
}

const aheadBytes = 128 * 1024 * 1024;
const mostAtOnce = 4;
const pauseMs = 10;

export const spoolName = 'spool';

interface Spool {
  readonly root: ForeignFolder;
  /** Where files grow: ours alone. */
  readonly coming: ForeignFolder;
  readonly wanted: ForeignFolder;
  readonly ready: ForeignFolder;
  readonly absent: ForeignFolder;
}

/**
 * Hands a server the files of the log that it asks for (fetch-script.ts), those of the replay's order ahead of it. Where
 * files grow nobody else gets in: the server's user must not have us write through a link of his.
 */
export class Feeder implements Disposable {
  readonly #options: FeederOptions;
  /** In the order of the replay. */
  readonly #order: readonly string[];
  readonly #coming = new Map<string, Promise<void>>();
  #next = 0;
  #wanted: readonly string[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;
  readonly #held = new DisposableStack();
  readonly #spool: Spool;

  /** What an earlier replay left there, as the word of its failure, is gone. Makes its folders, and the word of a failure: it needs no room then. */
  constructor(options: FeederOptions) {
    this.#options = options;
    const { feed, segmentBytes } = options;
    this.#order = feed.order.map(({ epoch, from }) => segmentNameAt(epoch, from, segmentBytes));
    this.#spool = this.#made();
    this.#draft('failed');
  }

  /** Its folders stay open until what is on its way has come: else it would go wherever another is open then. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    void Promise.allSettled(this.#coming.values()).finally(() => this.#held.dispose());
  }

  /** What the server has asked for and doesn't have yet. */
  get wanted(): readonly string[] {
    return this.#wanted;
  }

  /** Until it is aborted, or a file can't be had: then the server is told to stop, and this rejects. */
  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted && !this.#isOver && this.#failure === undefined) {
      const [ready, wanted] = [new Set(this.#spool.ready.names()), this.#spool.wanted.names()];
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
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#coming.delete(name));
    this.#coming.set(name, done);
  }

  /** The first counts: others that were under way beside it often fail alike. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#spool.coming.rename('failed', this.#spool.root, 'failed');
  }

  async #deliver(name: string): Promise<void> {
    const { coming, ready, absent } = this.#spool;
    const draft = `for-${name}`;
    const isHeld = await this.#bring(name, draft);
    if (isHeld) coming.giveChild(draft, this.#options.owner);
    else this.#draft(draft);
    coming.rename(draft, isHeld ? ready : absent, name);
  }

  /** False: it is certain that nobody holds it. */
  async #bring(name: string, draft: string): Promise<boolean> {
    const { feed, segmentBytes } = this.#options;
    const file = walFileOf(name, segmentBytes);
    if (file.kind === 'other') return false;
    if (file.kind === 'history') {
      const history = await feed.history(file.epoch);
      if (history !== undefined) this.#spool.coming.put(draft, history);
      return history !== undefined;
    }
    const sizeBytes = await feed.segmentInto(file.epoch, file.from, this.#spool.coming.pathWithin(draft));
    if (sizeBytes === undefined || sizeBytes === segmentBytes) return sizeBytes !== undefined;
    throw new HoldfastError('damaged', `${name} of the log has ${sizeBytes} bytes in place of ${segmentBytes}`);
  }

  #draft(name: string): void {
    this.#spool.coming.put(name, '', { owner: this.#options.owner });
  }

  #made(): Spool {
    const { own, owner } = this.#options;
    own.removeAll(spoolName);
    const root = this.#held.use(own.folderMade(spoolName, { mode: 0o711 }));
    const shared = (name: string): ForeignFolder => this.#held.use(root.folderMade(name, { owner }));
    const coming = this.#held.use(root.folderMade('coming'));
    return { root, coming, wanted: shared('wanted'), ready: shared('ready'), absent: shared('absent') };
  }
}

import type { Extent } from '../../../log/log.ts';
import type { Dropped } from './gaps.ts';
import type { SpoolFolder } from './spool-folder.ts';
import type { TakenAt } from './taken.ts';

/**
 * What a worker leaves to the next, in the spool: what was dropped, which places are due what others hold, or hold another's, and
 * whether a base backup is due. Each is the
 * name of an empty file, for which there is room on a full disk.
 *
 * - `gap-<epoch>-<from>-<to>` — dropped, and to be said in places that can't be reached; `…-in-<repository>` beside it:
 *   where another's stands under these names.
 * - `taken-<epoch>-<from>-in-<repository>` — from there on another's log stands there under the names of the server's own.
 * - `base-due` — something was dropped that a place lacks: a base backup is to be made, unless none is due by now.
 * - `new-<repository>` — it held nothing at first, and was not given yet all that other places hold.
 */
export class Notes {
  readonly #folder: SpoolFolder;

  constructor(folder: SpoolFolder) {
    this.#folder = folder;
  }

  /** In the order of epochs and positions. */
  gaps(): readonly Dropped[] {
    const names = this.#folder.names();
    return names
      .flatMap((name) => {
        const [, epoch, from, to] = /^gap-([0-9a-f]{8})-([0-9a-f]{16})-([0-9a-f]{16})$/.exec(name) ?? [];
        if (epoch === undefined || from === undefined || to === undefined) return [];
        const beside = `${name}-in-`;
        const takenIn = names.filter((one) => one.startsWith(beside)).map((one) => one.slice(beside.length));
        return [{ epoch: Number.parseInt(epoch, 16), from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), takenIn }];
      })
      .toSorted((a, b) => a.epoch - b.epoch || Number(a.from - b.from));
  }

  /** All of them or none; lasting when it resolves. */
  async addGaps(dropped: readonly Dropped[]): Promise<void> {
    await this.#folder.emptyForGood(
      dropped.flatMap((one) => [...one.takenIn.map((repository) => gapName(one, repository)), gapName(one)]),
    );
  }

  /** It is said everywhere; or with a repository, what stands in its way there is told. */
  forgetGap(dropped: Extent, repository?: string): void {
    const name = gapName(dropped, repository);
    if (repository === undefined)
      for (const one of this.#folder.names()) if (one.startsWith(`${name}-in-`)) this.#folder.remove(one);
    this.#folder.remove(name);
  }

  takenIn(repository: string): readonly TakenAt[] {
    return this.#folder.names().flatMap((name) => {
      const [, epoch, from, where] = /^taken-([0-9a-f]{8})-([0-9a-f]{16})-in-(.*)$/.exec(name) ?? [];
      if (epoch === undefined || from === undefined || where !== repository) return [];
      return [{ epoch: Number.parseInt(epoch, 16), from: BigInt(`0x${from}`) }];
    });
  }

  /** Lasting when it resolves. */
  async addTaken(at: TakenAt, repository: string): Promise<void> {
    await this.#folder.emptyForGood([takenName(at, repository)]);
  }

  forgetTaken(at: TakenAt, repository: string): void {
    this.#folder.remove(takenName(at, repository));
  }

  /** Lasting when it resolves: all that others hold is due there. */
  async addNew(repository: string): Promise<void> {
    await this.#folder.emptyForGood([`new-${repository}`]);
  }

  isNew(repository: string): boolean {
    return this.#folder.modifiedMs(`new-${repository}`) !== undefined;
  }

  forgetNew(repository: string): void {
    this.#folder.remove(`new-${repository}`);
  }

  /** Lasting when it resolves. */
  async addBaseDue(): Promise<void> {
    await this.#folder.emptyForGood([baseDue]);
  }

  isBaseDue(): boolean {
    return this.#folder.modifiedMs(baseDue) !== undefined;
  }

  forgetBaseDue(): void {
    this.#folder.remove(baseDue);
  }
}

const baseDue = 'base-due';

/** Whatever outlives a worker. */
export function isNote(name: string): boolean {
  return isNoteOfLog(name) || name.startsWith('taken-');
}

/** What is so whoever writes the log; what is another's is that of one data directory alone. */
export function isNoteOfLog(name: string): boolean {
  return /^(?:base|gap|new)-/.test(name);
}

function gapName({ epoch, from, to }: Extent, repository?: string): string {
  const name = ['gap', hex(epoch, 8), hex(from), hex(to)].join('-');
  return repository === undefined ? name : `${name}-in-${repository}`;
}

function takenName({ epoch, from }: TakenAt, repository: string): string {
  return `taken-${hex(epoch, 8)}-${hex(from)}-in-${repository}`;
}

const hex = (number: number | bigint, digits = 16): string => number.toString(16).padStart(digits, '0');

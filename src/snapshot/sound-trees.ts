import { IdSet } from '../bytes/id-set.ts';
import type { BlobId, RawPath } from '../bytes/ids.ts';

interface Open {
  /** Without a '/' behind: '' is the root. */
  readonly path: string;
  readonly tree: BlobId;
  tainted: boolean;
}

/** Follows a walk and learns which trees hold nothing bad, nor does anything below them: these need no second visit. */
export class SoundTrees {
  readonly #sound = new IdSet();
  readonly #open: Open[] = [];

  /** The walk is about to go into a folder: false when it is known to be sound. */
  enter(path: RawPath | '', tree: BlobId): boolean {
    if (this.#sound.has(tree)) return false;
    this.#open.push({ path, tree, tainted: false });
    return true;
  }

  /** The walk has come to an item: folders that it isn't below are done. */
  arriveAt(path: RawPath): void {
    for (let last = this.#open.at(-1); last && !isAtOrBelow(path, last.path); last = this.#open.at(-1)) this.#leave();
  }

  leaveAll(): void {
    while (this.#open.length > 0) this.#leave();
  }

  /** What the walk has come to is bad, and so is every folder that holds it. */
  taint(): void {
    const last = this.#open.at(-1);
    if (last) last.tainted = true;
  }

  #leave(): void {
    const done = this.#open.pop();
    const above = this.#open.at(-1);
    if (done?.tainted === false) this.#sound.add(done.tree);
    else if (above) above.tainted = true;
  }
}

/** A folder that can't be read is told by its own path. */
function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

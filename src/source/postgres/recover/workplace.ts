import { dirname, join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import { currentUser } from '../../../host/users.ts';
import type { DataOwner } from '../sandbox-files.ts';

const ownName = '.holdfast';

/** Beside the data directory, while it is brought to a moment. */
export const ownFolderIn = (folder: string): string => join(folder, ownName);
export const dataIn = (folder: string): string => join(folder, 'data');

/**
 * The folders of a replay, held open: they come out of a backup, whose maker may have put links there, and belong to the
 * server's user.
 */
export class Workplace implements Disposable {
  readonly folder: ForeignFolder;
  readonly data: ForeignFolder;
  readonly #held: DisposableStack;

  private constructor(folder: ForeignFolder, data: ForeignFolder, held: DisposableStack) {
    [this.folder, this.data, this.#held] = [folder, data, held];
  }

  /** `place`: where `data` leads by our own link, which is followed; anybody else's is 'damaged'. */
  static open(path: string, place?: string): Workplace {
    using opening = new DisposableStack();
    const folder = opening.use(ForeignFolder.open(path));
    const isOurs = place !== undefined && folder.link('data') === place;
    const data = opening.use(isOurs ? ForeignFolder.open(place) : folder.folder('data'));
    const held = new DisposableStack();
    const made = new Workplace(folder, data, held);
    held.use(opening.move());
    return made;
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  /** Whom the server has to run as; undefined: as this very user, whom all belongs to. */
  get owner(): DataOwner | undefined {
    return ownerOf(this.data);
  }

  /** Made where it isn't there. */
  own(): ForeignFolder {
    return this.#held.use(this.folder.folderMade(ownName, { owner: this.owner }));
  }

  removeOwn(): void {
    this.folder.removeAll(ownName);
  }

  /** The server's user has to reach its data directory; what else is here stays as closed as it was. */
  letThrough(): void {
    if (this.owner === undefined) return;
    passable(this.folder);
    using above = ForeignFolder.open(dirname(this.folder.path), 'followed');
    passable(above);
  }
}

function passable(folder: ForeignFolder): void {
  const { mode } = folder.stat();
  if ((mode & 0o111) !== 0o111) folder.setMode((mode & 0o7777) | 0o111);
}

function ownerOf(data: ForeignFolder): DataOwner | undefined {
  if (currentUser().uid !== 0) return undefined;
  const { uid, gid } = data.stat();
  if (uid !== 0) return { uid, gid };
  throw new HoldfastError('refused', `${data.path} belongs to root, whom PostgreSQL refuses`, {
    next: `Hand it to the user of the server: \`chown -R postgres: ${data.path}\`, and run the command again.`,
  });
}

import * as fs from 'node:fs';
import { join } from 'node:path';
import { displayPath, rawPathOf, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { Directory } from './directory.ts';
import { syncDescriptor } from './lasting.ts';
import { errorCode } from './system-error.ts';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** What is put somewhere: whose, undefined is ours, and with which mode. */
export interface Put {
  readonly owner?: FileOwner | undefined;
  readonly mode?: number;
}

/**
 * An open folder in which somebody else may put, swap and move what he likes, as a server's user or whoever made a backup,
 * while we may write anywhere. No link in there is followed, written through, or given away, whenever it came: 'damaged'
 * where one stands in place of a folder or of a file that is read, as anything else that is neither, or nothing. Other
 * errors are the system's.
 */
export class ForeignFolder implements Disposable {
  /** For people, and for programs that are run as its owner. */
  readonly path: string;
  readonly #directory: Directory;

  private constructor(path: string, directory: Directory) {
    this.path = path;
    this.#directory = directory;
  }

  /** Links above its last name are followed. */
  static open(path: string, lastLink: 'followed' | 'refused' = 'refused'): ForeignFolder {
    return new ForeignFolder(
      path,
      real(path, () => Directory.open(rawPathOf(path), { lastLink })),
    );
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  folder(name: string): ForeignFolder {
    const path = join(this.path, name);
    return new ForeignFolder(
      path,
      real(path, () => this.#directory.openDirectory(rawPathOf(name))),
    );
  }

  /** Made where nothing is; given away, and as closed as it says, where it is there too. */
  folderMade(name: string, { owner, mode = 0o700 }: Put = {}): ForeignFolder {
    if (!this.has(name)) return this.newFolder(name, { owner, mode });
    const there = this.folder(name);
    there.setMode(mode);
    there.give(owner);
    return there;
  }

  /** 'EEXIST' where something is there; 'damaged' where another folder takes its place before it is given away. */
  newFolder(name: string, { owner, mode = 0o700 }: Put = {}): ForeignFolder {
    this.#directory.makeDirectory(rawPathOf(name), mode);
    using opening = new DisposableStack();
    const made = opening.use(this.folder(name));
    if (made.names().length > 0) throw strange(made.path);
    made.setMode(mode);
    made.give(owner);
    opening.move();
    return made;
  }

  /** A file of these bytes; what stood there makes way, but for a folder. */
  put(name: string, bytes: string | Uint8Array, { owner, mode = 0o600 }: Put = {}): void {
    this.remove(name);
    const fd = this.#directory.openFile(rawPathOf(name), O_WRONLY | O_CREAT | O_EXCL, mode);
    try {
      fs.writeFileSync(fd, bytes);
      if (owner !== undefined) fs.fchownSync(fd, owner.uid, owner.gid);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Undefined where nothing is. */
  text(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const path = join(this.path, name);
    // A pipe would have us wait for its writer.
    const fd = real(path, () => this.#directory.openFile(rawPathOf(name), O_RDONLY | O_NONBLOCK));
    try {
      if (!fs.fstatSync(fd).isFile()) throw strange(path);
      return fs.readFileSync(fd, 'utf8');
    } finally {
      fs.closeSync(fd);
    }
  }

  has(name: string): boolean {
    return this.#directory.lstatIfThere(rawPathOf(name)) !== undefined;
  }

  names(): readonly string[] {
    return this.#directory.names().map(displayPath);
  }

  /** Where a link leads to, by its own words; undefined where none is. */
  link(name: string): string | undefined {
    const raw = rawPathOf(name);
    return this.#directory.lstatIfThere(raw)?.isSymbolicLink() === true
      ? displayPath(this.#directory.readLink(raw))
      : undefined;
  }

  /** A link that leads to `target`; what stood there makes way, a folder with all below it. */
  lead(name: string, target: string): void {
    if (this.link(name) === target) return;
    const draft = `${name}.tmp`;
    this.remove(draft);
    this.#directory.makeSymlink(rawPathOf(draft), rawPathOf(target));
    if (this.link(name) === undefined) this.removeAll(name);
    this.rename(draft, this, name);
  }

  rename(name: string, to: ForeignFolder, toName: string): void {
    this.#directory.rename(rawPathOf(name), to.#directory, rawPathOf(toName));
  }

  /** Of anything but a folder; of nothing, nothing. */
  remove(name: string): void {
    if (this.has(name)) this.#directory.unlink(rawPathOf(name));
  }

  /** Whatever it is, with all below it. */
  removeAll(name: string): void {
    removeBelow(this.#directory, rawPathOf(name));
  }

  give(owner: FileOwner | undefined): void {
    if (owner !== undefined) fs.fchownSync(this.#directory.fd, owner.uid, owner.gid);
  }

  /** A child, itself where it is a link. */
  giveChild(name: string, owner: FileOwner | undefined): void {
    if (owner !== undefined) this.#directory.chown(rawPathOf(name), owner.uid, owner.gid);
  }

  setMode(mode: number): void {
    fs.fchmodSync(this.#directory.fd, mode);
  }

  stat(): fs.Stats {
    return fs.fstatSync(this.#directory.fd);
  }

  /** Of a child, for calls of this very process that know no descriptors; good while this is open. */
  pathWithin(name: string): string {
    return displayPath(this.#directory.path(rawPathOf(name)));
  }

  /** As `pathWithin`, for programs that this one runs too. */
  pathForAll(name: string): string {
    return this.pathWithin(name).replace(/^\/proc\/self\//, `/proc/${process.pid}/`);
  }

  /** Its names are lasting, and what was put into `names` of it. */
  sync(...names: readonly string[]): void {
    for (const name of names) {
      const fd = this.#directory.openFile(rawPathOf(name), O_RDONLY | O_NONBLOCK);
      try {
        syncDescriptor(fd);
      } finally {
        fs.closeSync(fd);
      }
    }
    syncDescriptor(this.#directory.fd);
  }
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NONBLOCK } = fs.constants;

function removeBelow(directory: Directory, name: RawPath): void {
  const stats = directory.lstatIfThere(name);
  if (stats === undefined) return;
  if (!stats.isDirectory()) return directory.unlink(name);
  {
    using child = directory.openDirectory(name);
    for (const inner of child.names()) removeBelow(child, inner);
  }
  directory.removeDirectory(name);
}

function real<Opened>(path: string, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (code === 'ENOENT') throw new HoldfastError('damaged', `${path} is not there`, { cause: error });
    if (!['ELOOP', 'ENOTDIR', 'ENXIO'].includes(code)) throw error;
    throw strange(path);
  }
}

function strange(path: string): HoldfastError {
  return new HoldfastError('damaged', `${path} is a link, or something else than what belongs there`, {
    next: 'Nothing was written there. A backup of a cluster holds no links: find out who put it there before it is used.',
  });
}

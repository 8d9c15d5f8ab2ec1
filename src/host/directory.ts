import * as fs from 'node:fs';
import { constants } from 'node:os';
import { systemPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { systemError } from './system-error.ts';

/**
 * An open directory, whose children are reached through its descriptor: whoever swaps a parent for a link meanwhile
 * leads nobody astray. No call follows a link at the child's name. Names are single: no '/', no NUL, neither '.' nor
 * '..' ('refused'). Errors are the system's. Closing leaves children that are open alone.
 */
export class Directory implements Disposable {
  readonly fd: number;
  readonly #prefix: string;

  private constructor(fd: number) {
    this.fd = fd;
    this.#prefix = prefixOf(fd);
  }

  /** Follows links in `path`, unless the last name shall not be one ('ENOTDIR'). */
  static open(
    path: RawPath,
    options: { readonly lastLink: 'followed' | 'refused' } = { lastLink: 'followed' },
  ): Directory {
    procIsThere ||= fs.existsSync('/proc/self/fd');
    if (!procIsThere) throw withoutProc();
    const noFollow = options.lastLink === 'refused' ? O_NOFOLLOW : 0;
    return new Directory(fs.openSync(systemPath(path), O_RDONLY | O_DIRECTORY | noFollow));
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
  }

  /** A path to the child through this descriptor, good while it is open, for calls that know no descriptors. */
  path(name: RawPath): RawPath {
    if (!isChildName(name)) throw new HoldfastError('refused', `not the name of a file: ${JSON.stringify(name)}`);
    // Branded here because prefix and name are.
    return `${this.#prefix}${name}` as RawPath;
  }

  /** 'ELOOP' or 'ENOTDIR' when it is a link. */
  openDirectory(name: RawPath): Directory {
    return new Directory(fs.openSync(this.#child(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  /** A descriptor, the caller's to close. 'ELOOP' when it is a link. */
  openFile(name: RawPath, flags: number, mode = 0o600): number {
    return fs.openSync(this.#child(name), flags | O_NOFOLLOW, mode);
  }

  /** Names of the children, in no order. */
  names(): readonly RawPath[] {
    // With 'latin1' the answer has one char a byte, which is what a RawPath is.
    return fs.readdirSync(this.#prefix, 'latin1') as RawPath[];
  }

  stat(): fs.BigIntStats {
    return fs.fstatSync(this.fd, { bigint: true });
  }

  lstat(name: RawPath): fs.BigIntStats {
    return fs.lstatSync(this.#child(name), { bigint: true });
  }

  /** As `lstat`, undefined when there is none. */
  lstatIfThere(name: RawPath): fs.BigIntStats | undefined {
    return fs.lstatSync(this.#child(name), { bigint: true, throwIfNoEntry: false });
  }

  makeDirectory(name: RawPath, mode = 0o700): void {
    fs.mkdirSync(this.#child(name), mode);
  }

  makeSymlink(name: RawPath, target: RawPath): void {
    fs.symlinkSync(systemPath(target), this.#child(name));
  }

  /** A further name here for what `from` calls `fromName`; of a link, for the link. */
  makeLink(name: RawPath, from: Directory, fromName: RawPath): void {
    fs.linkSync(from.#child(fromName), this.#child(name));
  }

  rename(name: RawPath, to: Directory, toName: RawPath): void {
    fs.renameSync(this.#child(name), to.#child(toName));
  }

  /** Of anything but a directory. */
  unlink(name: RawPath): void {
    fs.unlinkSync(this.#child(name));
  }

  /** Of an empty directory. */
  removeDirectory(name: RawPath): void {
    fs.rmdirSync(this.#child(name));
  }

  readLink(name: RawPath): RawPath {
    return fs.readlinkSync(this.#child(name), 'latin1') as RawPath;
  }

  chown(name: RawPath, uid: number, gid: number): void {
    fs.lchownSync(this.#child(name), uid, gid);
  }

  /** 'ELOOP' when it is a link: links have no mode of their own. */
  chmod(name: RawPath, mode: number): void {
    if (darwin) return fs.lchmodSync(this.#child(name), mode);
    const fd = fs.openSync(this.#child(name), O_PATH | O_NOFOLLOW);
    try {
      if (fs.fstatSync(fd).isSymbolicLink()) throw systemError('chmod', constants.errno.ELOOP);
      fs.chmodSync(`/proc/self/fd/${fd}`, mode);
    } finally {
      fs.closeSync(fd);
    }
  }

  #child(name: RawPath): string | Buffer {
    return systemPath(this.path(name));
  }
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
/** Linux: a descriptor that stands for the name alone; not among Node's constants. */
const O_PATH = 0o10000000;
const darwin = process.platform === 'darwin';
let procIsThere = darwin; // where it is not needed

function isChildName(name: RawPath): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

function withoutProc(): HoldfastError {
  const next = 'Mount it (mount -t proc proc /proc) and run the command again. Nothing was changed.';
  return new HoldfastError('unsupported', '/proc is not mounted, and directories are walked through it', { next });
}

/** Linux names a descriptor's directory below /proc; macOS a directory by volume and number below /.vol. */
function prefixOf(fd: number): string {
  if (!darwin) return `/proc/self/fd/${fd}/`;
  const { dev, ino } = fs.fstatSync(fd, { bigint: true });
  return `/.vol/${dev}/${ino}/`;
}

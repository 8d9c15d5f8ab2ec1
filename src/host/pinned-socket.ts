import { closeSync, constants, fstatSync } from 'node:fs';
import { mkdtempDisposable, open, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { Directory } from './directory.ts';
import { errorCode } from './system-error.ts';

/** A socket as it stood when it was pinned, whatever becomes of its name. */
export interface PinnedSocket extends AsyncDisposable {
  /**
   * A folder of ours in which the socket has its name, for this process and the programs that it starts as the same user;
   * short, since a path to a socket has at most 107 bytes.
   */
  readonly folder: string;
}

/** Linux: a descriptor that stands for the name alone; not among Node's constants. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * For a folder in which somebody else may put what he likes, as a server in a sandbox: outside, a link in the place of its
 * socket would lead to a server that the sandbox never sees. 'damaged' where the folder, or what has that name in it, is a
 * link or anything else; 'source-failed' where nothing is there.
 */
export async function pinSocket(folder: string, name: string): Promise<PinnedSocket> {
  await using closing = new AsyncDisposableStack();
  const socket = socketIn(folder, name);
  closing.defer(() => closeSync(socket));
  const own = closing.use(await mkdtempDisposable(join(tmpdir(), 'holdfast-')));
  await symlink(`/proc/${process.pid}/fd/${socket}`, join(own.path, name));
  const { fd } = closing.use(await open(own.path, O_DIRECTORY | O_NOFOLLOW));
  const kept = closing.move();
  return { folder: `/proc/${process.pid}/fd/${fd}`, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

/** A descriptor, the caller's to close. */
function socketIn(folder: string, name: string): number {
  const path = join(folder, name);
  const fd = opened(path, () => {
    using directory = Directory.open(rawPathOf(folder), { lastLink: 'refused' });
    return directory.openFile(rawPathOf(name), O_PATH);
  });
  if (fstatSync(fd).isSocket()) return fd;
  closeSync(fd);
  throw strange(path);
}

function opened(path: string, open: () => number): number {
  try {
    return open();
  } catch (cause) {
    const code = errorCode(cause) ?? '';
    if (['ELOOP', 'ENOTDIR'].includes(code)) throw strange(path);
    if (code === 'ENOENT') throw new HoldfastError('source-failed', `${path} is not there (any more)`, { cause });
    throw cause;
  }
}

function strange(path: string): HoldfastError {
  return new HoldfastError('damaged', `${path} is a link, or something else than a socket: nothing was asked there`, {
    next: 'What runs in the sandbox came with the backup, and has put it there: find out who could, before the backup is used. Nothing was changed.',
  });
}

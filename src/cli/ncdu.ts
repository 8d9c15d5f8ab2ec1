import { displayPath, type RawPath } from '../bytes/ids.ts';
import { encodeSnapshot, type Snapshot } from '../snapshot/snapshot.ts';
import { unixPermissions } from '../snapshot/unix-mode.ts';
import type { WalkedNode } from '../snapshot/walk.ts';
import type { Console } from './console.ts';
import { toJson } from './json.ts';

/**
 * A snapshot's files as `ncdu -f -` reads them (its export format 1.2, dev.yorhel.nl/ncdu/jsonfmt), laid out as restic
 * does: arrays within arrays, each folder the first item of its own. The items must come in the order of a walk.
 */
export class NcduExport {
  readonly #console: Console;
  /** Folders whose arrays are open, outermost first. */
  readonly #open: RawPath[] = [];
  /** Written as soon as it is known what follows it. */
  #line = '';

  constructor(console: Console) {
    this.#console = console;
  }

  begin(snapshot: Snapshot): void {
    const stored = Buffer.from(encodeSnapshot(snapshot)).toString('utf8');
    this.#line = `[1, 2, ${stored}, [{"name":"/"}`;
  }

  item({ path, node }: WalkedNode): void {
    this.#closeUnless((folder) => path.startsWith(`${folder}/`));
    if (node.type === 'dir') {
      this.#next(',', '[');
      this.#open.push(path);
      this.#next('', ncduRecord(node));
    } else this.#next(',', ncduRecord(node));
  }

  end(): void {
    this.#closeUnless(() => false);
    for (const line of [this.#line, ']', ']']) this.#console.say(line, 0);
  }

  #closeUnless(holds: (folder: RawPath) => boolean): void {
    for (let folder = this.#open.at(-1); folder !== undefined && !holds(folder); folder = this.#open.at(-1)) {
      this.#open.pop();
      this.#next('', ']');
    }
  }

  /** `after` goes behind the line before. */
  #next(after: string, line: string): void {
    this.#console.say(this.#line + after, 0);
    this.#line = '  '.repeat(this.#open.length + 1) + line;
  }
}

const blockBytes = 512;

function ncduRecord({
  name,
  type,
  sizeBytes,
  deviceId,
  inode,
  links,
  uid,
  gid,
  mode,
  mtimeNs,
}: WalkedNode['node']): string {
  const size = type === 'file' ? sizeBytes : 0;
  return toJson({
    name: displayPath(name),
    asize: size,
    dsize: Math.ceil(size / blockBytes) * blockBytes,
    dev: deviceId,
    ino: inode,
    nlink: links,
    notreg: type !== 'dir' && type !== 'file',
    uid,
    gid,
    mode: unixPermissions(mode),
    // ncdu knows no time before 1970.
    mtime: mtimeNs < 0n ? 0 : mtimeNs / 1_000_000_000n,
  });
}

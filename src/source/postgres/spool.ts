import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { blobIdOf, idBytes, rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { StoredContent } from '../../repository/repository.ts';

/** What is known of a file or folder of a base backup once it has arrived. */
export interface Arrived {
  readonly path: RawPath;
  readonly type: 'file' | 'dir';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** undefined: nobody knows, as of what a server sends. */
  readonly identity?: FileIdentity | undefined;
}

/** What a file system knows of a file, from which a later backup can tell that it is the same. */
export interface FileIdentity {
  readonly ctimeNs: bigint;
  readonly inode: bigint;
  readonly deviceId: bigint;
}

export interface ArrivedFile extends Arrived {
  readonly crc32c: number;
  readonly sizeBytes: number;
  /** undefined: it was read, and has no place in the snapshot. */
  readonly stored: StoredContent | undefined;
}

/** What a manifest says of a file. */
export type ManifestedFile = Pick<ArrivedFile, 'path' | 'mtimeNs' | 'crc32c' | 'sizeBytes'>;

export type Spooled = Arrived & { readonly stored: StoredContent | undefined };

/**
 * Files in the order in which a server sends them, given back in the order in which trees are made. It stands in a
 * temporary database of SQLite's, which has no name and is gone with this process: a row a file, and 32 bytes for each
 * of its chunks. 1 TiB in chunks of 64 KiB takes 512 MiB of disk, below $SQLITE_TMPDIR, /var/tmp or /tmp, and a few MiB
 * of memory.
 */
export class Spool implements Disposable {
  readonly #database = new DatabaseSync('');
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #mark: StatementSync;

  constructor() {
    this.#database.exec(`
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      CREATE TABLE item (place BLOB PRIMARY KEY, path TEXT NOT NULL, type TEXT NOT NULL, mode INTEGER NOT NULL,
        uid INTEGER NOT NULL, gid INTEGER NOT NULL, mtime INTEGER NOT NULL, crc INTEGER, size INTEGER,
        ctime INTEGER, inode TEXT, device TEXT, blobs INTEGER, bytes INTEGER, packed INTEGER, ids BLOB, listed INTEGER NOT NULL DEFAULT 0);
      BEGIN`);
    const columns =
      'place, path, type, mode, uid, gid, mtime, ctime, inode, device, crc, size, blobs, bytes, packed, ids';
    this.#insert = this.#database.prepare(`INSERT INTO item (${columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`);
    this.#find = this.#database.prepare('SELECT crc, size FROM item WHERE place = ?');
    this.#mark = this.#database.prepare('UPDATE item SET listed = 1 WHERE place = ?');
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  addFolder(folder: Arrived): void {
    this.#add(placeOfFolder(folder.path), folder, [null, null, null, null, null, null]);
  }

  addFile(file: ArrivedFile): void {
    const { stored, crc32c, sizeBytes } = file;
    const ids = stored === undefined ? null : Buffer.concat(stored.ids.map(idBytes));
    const added = [stored?.newBlobs ?? null, stored?.newBytes ?? null, stored?.storedBytes ?? null];
    this.#add(placeOf(file.path), file, [crc32c, sizeBytes, ...added, ids]);
  }

  has(path: RawPath): boolean {
    return this.#find.get(placeOf(path)) !== undefined || this.#find.get(placeOfFolder(path)) !== undefined;
  }

  /** A manifest lists this file: what arrived of it, if anything. */
  list(path: RawPath): { readonly crc32c: number; readonly sizeBytes: number } | undefined {
    const found = this.#find.get(placeOf(path));
    if (found === undefined) return undefined;
    this.#mark.run(placeOf(path));
    return { crc32c: Number(found['crc']), sizeBytes: Number(found['size']) };
  }

  /** Files that no manifest listed so far. */
  *unlisted(): Generator<RawPath> {
    const rows = this.#database.prepare("SELECT path FROM item WHERE type = 'file' AND listed = 0 ORDER BY place");
    for (const { path } of rows.iterate()) yield rawPathOfByteString(String(path));
  }

  isEmpty(): boolean {
    return this.#database.prepare('SELECT 1 FROM item LIMIT 1').get() === undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#database.exec('DELETE FROM item');
  }

  /** A file that is not in the snapshot as it arrived: what takes its place is in no manifest of the server’s. */
  replace(file: ArrivedFile): void {
    this.#database.prepare('DELETE FROM item WHERE place = ?').run(placeOf(file.path));
    this.addFile(file);
    this.#mark.run(placeOf(file.path));
  }

  /** Every file of the snapshot in the same order, for a manifest of our own. */
  *files(): Generator<ManifestedFile> {
    const rows = this.#database.prepare('SELECT path, mtime, crc, size FROM item WHERE ids IS NOT NULL ORDER BY place');
    rows.setReadBigInts(true);
    for (const { path, mtime, crc, size } of rows.iterate())
      yield {
        path: rawPathOfByteString(String(path)),
        mtimeNs: BigInt(String(mtime)),
        crc32c: Number(crc),
        sizeBytes: Number(size),
      };
  }

  /** In the order of Entry: what is in a folder, by name, then the folder. What has no place in the snapshot is left out. */
  *items(): Generator<Spooled> {
    const rows = this.#database.prepare("SELECT * FROM item WHERE type = 'dir' OR ids IS NOT NULL ORDER BY place");
    rows.setReadBigInts(true);
    for (const row of rows.iterate()) yield spooledOf(row);
  }

  #add(
    place: Buffer,
    { path, type, mode, uid, gid, mtimeNs, identity }: Arrived,
    rest: readonly (number | Buffer | null)[],
  ): void {
    try {
      const known = [identity?.ctimeNs ?? null, String(identity?.inode ?? 0n), String(identity?.deviceId ?? 0n)];
      this.#insert.run(place, path, type, mode, uid, gid, mtimeNs, ...known, ...rest);
    } catch (cause) {
      throw new HoldfastError('source-failed', `what arrived of ${path} can't be noted: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** Sorted by its bytes: below a folder 1 stands before each name, and 2 for the folder itself, behind them all. */
function placeOf(path: RawPath): Buffer {
  return Buffer.from(path.replaceAll('/', '\0\x01'), 'latin1');
}

function placeOfFolder(path: RawPath): Buffer {
  return Buffer.concat([placeOf(path), Buffer.from([0, 2])]);
}

function spooledOf(row: Readonly<Record<string, unknown>>): Spooled {
  const number = (name: string): number => Number(row[name]);
  const { path, type, ids, mtime, ctime, inode, device } = row;
  return {
    path: rawPathOfByteString(String(path)),
    type: type === 'dir' ? 'dir' : 'file',
    mode: number('mode'),
    uid: number('uid'),
    gid: number('gid'),
    mtimeNs: BigInt(String(mtime)),
    ...(typeof ctime === 'bigint' && {
      identity: { ctimeNs: ctime, inode: BigInt(String(inode)), deviceId: BigInt(String(device)) },
    }),
    stored:
      ids instanceof Uint8Array
        ? {
            ids: [...idsIn(ids)],
            sizeBytes: number('size'),
            newBlobs: number('blobs'),
            newBytes: number('bytes'),
            storedBytes: number('packed'),
          }
        : undefined,
  };
}

function* idsIn(bytes: Uint8Array): Generator<BlobId> {
  for (let at = 0; at < bytes.length; at += 32) yield blobIdOf(bytes.subarray(at, at + 32));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

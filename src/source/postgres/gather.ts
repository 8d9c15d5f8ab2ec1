import { Readable } from 'node:stream';
import { HoldfastError } from '../../errors/error.ts';
import { backupParts, baseBackupCommand, copiedBy, type BaseBackupOptions } from './base-backup.ts';
import type { BackupPart, LogPosition, Tablespace } from './base-backup.ts';
import { assertLogIsThere, checkedManifest, manifestName } from './check-manifest.ts';
import { ServerError, type ServerConnection } from './connect.ts';
import { makeManifest } from './host/make-manifest.ts';
import type { IncrementalBase } from './incremental/base.ts';
import type { WalRange } from './lsn.ts';
import { Parts } from './parts.ts';
import { neededFolders } from './placing.ts';
import { Receiver, type ReceiverOptions } from './receive.ts';
import type { ServerFacts } from './server.ts';
import type { Arrived } from './spool.ts';

export interface GatherOptions extends ReceiverOptions {
  readonly server: ServerFacts;
  readonly backup: Omit<BaseBackupOptions, 'major'>;
  /** For what the server doesn't date. */
  readonly timeNs: bigint;
}

/** A base backup, all of which is stored and in the spool. */
export interface Gathered {
  readonly start: LogPosition;
  readonly end: LogPosition;
  readonly tablespaces: readonly Tablespace[];
  /** Whose the data directory is. */
  readonly owner: Pick<Arrived, 'uid' | 'gid'>;
  /** 'wrong': the server met pages whose checksum is not theirs; which, its notices said. */
  readonly pageChecksums: 'right' | 'wrong';
}

/** Takes a base backup over a connection. 'source-failed' unless all of it came, as the manifest says. */
export async function gather(connection: ServerConnection, options: GatherOptions): Promise<Gathered> {
  const { server, backup, spool } = options;
  const answers = connection.command(baseBackupCommand({ ...backup, major: server.major }), copiedBy(server.major));
  const receiver = new Receiver(options);
  const gathering = new Gathering(receiver, options);
  const pageChecksums = await gathering.takeAll(new Parts(backupParts(answers, server.major)));
  await receiver.settled();
  const { start, end, tablespaces } = gathering.result();
  const range = { timeline: start.timeline, start: start.lsn, end: end.lsn };
  if (options.base !== undefined) await gathering.merge(range, options.base);
  assertLogIsThere(range, server.segmentBytes, (path) => spool.has(path));
  for (const path of neededFolders(server.major)) receiver.folder({ ...gathering.owned(), path, type: 'dir' });
  return { start, end, tablespaces, owner: receiver.owner, pageChecksums };
}

/** What a server says at the very end, when everything was sent. */
const dataCorrupted = 'XX001';

class Gathering {
  readonly #receiver: Receiver;
  readonly #options: GatherOptions;
  readonly #archives: (string | undefined)[] = [];
  #start: LogPosition | undefined;
  #end: LogPosition | undefined;
  #tablespaces: readonly Tablespace[] = [];
  #manifest: 'missing' | 'right' = 'missing';

  constructor(receiver: Receiver, options: GatherOptions) {
    this.#receiver = receiver;
    this.#options = options;
  }

  async takeAll(parts: Parts): Promise<Gathered['pageChecksums']> {
    try {
      for (let part = await parts.next(); part !== undefined; part = await parts.next()) await this.#take(part, parts);
      return 'right';
    } catch (error) {
      const isLast = error instanceof ServerError && error.sqlState === dataCorrupted && this.#end !== undefined;
      if (!isLast) throw error;
      return 'wrong';
    }
  }

  result(): Pick<Gathered, 'start' | 'end' | 'tablespaces'> {
    const [start, end, tablespaces] = [this.#start, this.#end, this.#tablespaces];
    if (start === undefined || end === undefined || this.#manifest === 'missing')
      throw new HoldfastError('source-failed', 'the server ended the backup before all of it had come');
    if (start.timeline !== end.timeline)
      throw new HoldfastError('source-failed', 'the server changed its timeline while it was backed up: try again');
    const lacking = tablespaces.find(({ oid }) => !this.#archives.includes(oid));
    if (lacking !== undefined || tablespaces.length === 0)
      throw new HoldfastError(
        'source-failed',
        `the server did not send the tablespace ${lacking?.oid ?? 'of its own'}`,
      );
    return { start, end, tablespaces };
  }

  /** Of what the server doesn't describe. */
  owned(): Omit<Arrived, 'path' | 'type'> {
    const { uid, gid } = this.#receiver.owner;
    return { mode: 0o700, uid, gid, mtimeNs: this.#options.timeNs };
  }

  async #take(part: BackupPart, parts: Parts): Promise<void> {
    switch (part.kind) {
      case 'start':
        this.#start = part.at;
        return;
      case 'tablespaces':
        this.#tablespaces = part.tablespaces;
        this.#receiver.expect(part.tablespaces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
        return;
      case 'archive':
        this.#archives.push(part.tablespace);
        return await this.#receiver.archive(parts.bytes(), part.tablespace);
      case 'manifest':
        return await this.#takeManifest(parts);
      case 'bytes':
        throw new HoldfastError('source-failed', 'the server sent bytes that belong to no file');
      case 'end':
        this.#end = part.at;
    }
  }

  async #takeManifest(parts: Parts): Promise<void> {
    await this.#receiver.settled();
    const checked = checkedManifest(parts.bytes(), this.#options.spool);
    // That of an incremental backup is of what was sent, not of what it makes with its parent.
    if (this.#options.base === undefined) await this.#storeManifest(checked);
    else for await (const piece of checked) void piece;
    this.#manifest = 'right';
  }

  async #storeManifest(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const manifest = { ...this.owned(), path: manifestName, mode: 0o600, type: 'file' } as const;
    await this.#receiver.file(manifest, bytes);
    await this.#receiver.settled();
  }

  /** What arrived is with its parent a backup as a whole, and gets the manifest of one. */
  async merge(range: WalRange, { systemIdentifier }: IncrementalBase): Promise<void> {
    this.#receiver.finishMerge();
    const facts = { major: this.#options.server.major, systemIdentifier, range };
    await this.#storeManifest(Readable.from(makeManifest(this.#options.spool.files(), facts)));
  }
}

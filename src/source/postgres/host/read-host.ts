import { crc32c } from '../../../bytes/crc32c.ts';
import { displayPath, rawPathOf, type RawPath } from '../../../bytes/ids.ts';
import { joinPath } from '../../../bytes/unix-path.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { assertLogIsThere, manifestName } from '../check-manifest.ts';
import type { ServerConnection } from '../connect.ts';
import type { Gathered, GatherOptions } from '../gather.ts';
import { holdLog } from '../hold-log.ts';
import { neededFolders } from '../placing.ts';
import type { Arrived } from '../spool.ts';
import { readControl } from './control.ts';
import { arrivedAt, Copying, type WrongPage } from './copy-files.ts';
import { copyLog } from './copy-log.ts';
import { controlPath, list, tablespacesOf, type ListOptions } from './listing.ts';
import { makeManifest } from './make-manifest.ts';
import { assertOwnHost, hostFacts, type HostFacts } from './same-host.ts';
import { openWindow, type WindowEnd } from './window.ts';

export interface HostOptions extends Pick<GatherOptions, 'spool' | 'store' | 'cutBefore' | 'listener' | 'timeNs'> {
  readonly url: string;
  readonly component: string;
  readonly facts: GatherOptions['server'];
  readonly checkpoint: 'fast' | 'spread';
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ReadHost extends Gathered {
  readonly system: string;
}

/**
 * Reads the data directory itself, which has to be this host's, by as many workers as there are processors: between the
 * start and the stop of a backup, pg_control behind everything else, then the log from start to stop and a manifest.
 */
export async function readHost(server: ServerConnection, options: HostOptions): Promise<ReadHost> {
  const { url, component, checkpoint, facts, signal, listener } = options;
  const host = await hostFacts(server);
  await assertOwnHost(host, options);
  if (host.isStandby)
    throw new HoldfastError('unsupported', 'reading a standby’s data directory is not built yet: ask its primary');
  const { major } = facts;
  await using _slot = await holdLog({ url, signal, listener, component, major });
  await using window = await openWindow({ url, major, label: `holdfast ${component}`, checkpoint, signal });
  const reading = new HostReading(options, host, window.startLsn);
  await reading.copyFiles();
  await reading.copyControl();
  return await reading.finish(await window.stop());
}

class HostReading {
  readonly #options: HostOptions;
  readonly #host: HostFacts;
  readonly #startLsn: bigint;
  readonly #listing: Omit<ListOptions, 'leftOut'>;
  #wrongPages: readonly WrongPage[] = [];
  #owner: Gathered['owner'] = { uid: 0, gid: 0 };

  constructor(options: HostOptions, host: HostFacts, startLsn: bigint) {
    this.#options = options;
    this.#host = host;
    this.#startLsn = startLsn;
    const root = host.dataDirectory;
    this.#listing = { root, major: options.facts.major, tablespaces: tablespacesOf(root) };
  }

  async copyFiles(): Promise<void> {
    const { facts, listener } = this.#options;
    const { pageBytes, blocksPerFile } = this.#host;
    const checks = facts.dataChecksums === 'on' ? { pageBytes, blocksPerFile, before: this.#startLsn } : undefined;
    const copying = new Copying({ ...this.#options, clusterBytes: this.#clusterBytes(), checks });
    const leftOut = (path: RawPath, message: string): void =>
      listener({ kind: 'warning', during: 'scan', item: displayPath(path), message });
    for (const listed of list({ ...this.#listing, leftOut })) {
      if (listed.path === 'PG_VERSION') this.#owner = arrivedAt(listed);
      await copying.take(listed);
    }
    await copying.settled();
    this.#wrongPages = copying.wrongPages;
    tellWrong(this.#wrongPages, this.#options);
  }

  async copyControl(): Promise<void> {
    const { clock, signal } = this.#options;
    const place = joinPath(this.#host.dataDirectory, controlPath);
    const { bytes, systemIdentifier } = await readControl(place, clock, signal);
    if (systemIdentifier !== this.#host.systemIdentifier)
      throw new HoldfastError('source-failed', 'another cluster has taken the place of the one that was read');
    await this.#add(controlPath, bytes);
  }

  async finish({ lsn, timeline, label }: WindowEnd): Promise<ReadHost> {
    const { spool, facts } = this.#options;
    const { systemIdentifier, dataDirectory: root } = this.#host;
    await this.#add(rawPathOf('backup_label'), label);
    const range = { timeline, start: this.#startLsn, end: lsn };
    await copyLog({ ...this.#options, root, range, segmentBytes: facts.segmentBytes, systemIdentifier });
    assertLogIsThere(range, facts.segmentBytes, (path) => spool.has(path));
    for (const path of neededFolders(facts.major))
      if (!spool.has(path)) spool.addFolder({ ...this.#owned(), mode: 0o700, path, type: 'dir' });
    const manifest = makeManifest(spool.files(), { major: facts.major, systemIdentifier, range });
    await this.#addManifest(manifest);
    return {
      start: { lsn: range.start, timeline },
      end: { lsn, timeline },
      tablespaces: this.#listing.tablespaces,
      owner: this.#owner,
      pageChecksums: this.#wrongPages.length === 0 ? 'right' : 'wrong',
      system: systemIdentifier,
    };
  }

  /** Of relations alone it decides how they are cut, so that links and others don't matter. */
  #clusterBytes(): number {
    let bytes = 0;
    for (const { type, stat } of list({ ...this.#listing, leftOut: () => undefined }))
      if (type === 'file') bytes += Number(stat.size);
    return bytes;
  }

  /** A small file. */
  async #add(path: RawPath, bytes: Uint8Array): Promise<void> {
    const stored = await this.#options.store({ kind: 'bytes', bytes });
    const crc = crc32c(0, bytes);
    this.#options.spool.addFile({ ...this.#owned(), path, type: 'file', crc32c: crc, sizeBytes: bytes.length, stored });
  }

  async #addManifest(pieces: Iterable<Uint8Array>): Promise<void> {
    const stream = ReadableStream.from(pieces);
    const stored = await this.#options.store({ kind: 'stream', stream, cut: 'rabin' });
    const { sizeBytes } = stored;
    this.#options.spool.addFile({ ...this.#owned(), path: manifestName, type: 'file', crc32c: 0, sizeBytes, stored });
  }

  /** Of what no file stands for. */
  #owned(): Omit<Arrived, 'path' | 'type'> {
    const { uid, gid } = this.#owner;
    return { mode: 0o600, uid, gid, mtimeNs: this.#options.timeNs };
  }
}

const mostTold = 100;

/** All is stored all the same, and most of it is right: a snapshot with a warning is better than none. */
function tellWrong(pages: readonly WrongPage[], { component, listener }: HostOptions): void {
  const warn = (message: string): void => listener({ kind: 'warning', during: 'scan', item: component, message });
  for (const { path, block } of pages.slice(0, mostTold))
    warn(`checksum verification failed in file "${displayPath(path)}", block ${block}`);
  if (pages.length > mostTold) warn(`checksum verification failed in ${pages.length - mostTold} more pages`);
}

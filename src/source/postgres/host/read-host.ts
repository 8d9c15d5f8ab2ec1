import { statSync } from 'node:fs';
import { crc32c } from '../../../bytes/crc32c.ts';
import { displayPath, rawPathOf, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { joinPath } from '../../../bytes/unix-path.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { bootTime } from '../../../host/boot-time.ts';
import type { ParentFiles } from '../../source.ts';
import { assertLogIsThere, manifestName } from '../check-manifest.ts';
import type { ServerConnection } from '../connect.ts';
import type { ReadingFacts } from '../description.ts';
import type { Gathered, GatherOptions } from '../gather.ts';
import { holdLog } from '../hold-log.ts';
import { neededFolders } from '../placing.ts';
import type { Arrived } from '../spool.ts';
import { readControl } from './control.ts';
import { arrivedAt, Copying, type CopyOptions } from './copy-files.ts';
import { copyLog } from './copy-log.ts';
import { controlPath, list, tablespacesOf, type ListOptions } from './listing.ts';
import { assertPrimary, untilReceived, untilWritten } from './primary.ts';
import { openParent, type Parent } from './parent.ts';
import { makeManifest } from './make-manifest.ts';
import { assertOwnHost, hostFacts, type HostFacts } from './same-host.ts';
import { isUnchanged, readingFacts, whyReadAll, type Now } from './unchanged.ts';
import { openWindow, type WindowEnd } from './window.ts';

export interface HostOptions extends Pick<GatherOptions, 'spool' | 'store' | 'cutBefore' | 'listener' | 'timeNs'> {
  readonly parent: ParentFiles | undefined;
  readonly url: string;
  readonly primary: string | undefined;
  readonly component: string;
  readonly facts: GatherOptions['server'];
  readonly checkpoint: 'fast' | 'spread';
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ReadHost extends Gathered {
  readonly system: string;
  readonly reading: ReadingFacts;
}

interface Standing {
  readonly now: Now;
  readonly parent: Parent | undefined;
}

/**
 * Reads the data directory itself, which has to be this host's, by as many workers as there are processors: between the
 * start and the stop of a backup, pg_control behind everything else, then the log from start to stop and a manifest. A
 * standby's files are read once they hold what the primary had at the start; without its primary start and stop are asked
 * of the standby itself, which refuses to stop the backup once it was promoted.
 */
export async function readHost(server: ServerConnection, options: HostOptions): Promise<ReadHost> {
  const { url, primary, component, facts, signal, listener } = options;
  const host = await hostFacts(server);
  await assertOwnHost(host, options);
  if (primary !== undefined) await assertPrimary(primary, server, signal);
  const { major } = facts;
  const parent = await openParent(options.parent, component);
  const beganNs = options.clock.nowNs();
  await using _slot = await holdLog({ url, signal, listener, component, major });
  await using window = await openWindow({ ...options, url: primary ?? url, major, label: `holdfast ${component}` });
  if (primary !== undefined) await untilWritten(server, window.startLsn, options);
  const now = await whatStands(options, host, { startLsn: window.startLsn, beganNs });
  const reading = new HostReading(options, host, { now, parent });
  await reading.copyFiles();
  await reading.copyControl();
  const end = await window.stop();
  if (primary !== undefined) await untilReceived(server, end.lsn, options);
  return await reading.finish(end);
}

/** The checkpoint that a backup begins with has just written pg_control, by the clock of its file system. */
async function whatStands(
  { facts, clock, signal }: HostOptions,
  { dataDirectory, systemIdentifier }: HostFacts,
  { startLsn, beganNs }: { readonly startLsn: bigint; readonly beganNs: bigint },
): Promise<Now> {
  const place = joinPath(dataDirectory, controlPath);
  const { timeline } = await readControl(place, clock, signal);
  const { mtimeNs } = statSync(systemPath(place), { bigint: true });
  return {
    systemIdentifier,
    version: facts.version,
    timeline,
    dataChecksums: facts.dataChecksums,
    dataDirectory,
    startLsn,
    startedNs: mtimeNs < beganNs ? mtimeNs : beganNs,
    boot: bootTime(),
  };
}

class HostReading {
  readonly #options: HostOptions;
  readonly #host: HostFacts;
  readonly #now: Now;
  readonly #parent: Parent | undefined;
  readonly #readAll: string | undefined;
  readonly #listing: Omit<ListOptions, 'leftOut'>;
  #pageChecksums: Gathered['pageChecksums'] = 'right';
  #owner: Gathered['owner'] = { uid: 0, gid: 0 };

  constructor(options: HostOptions, host: HostFacts, { now, parent }: Standing) {
    this.#options = options;
    this.#host = host;
    this.#now = now;
    this.#parent = parent;
    this.#readAll = whyReadAll(parent?.description, now);
    const root = host.dataDirectory;
    this.#listing = { root, major: options.facts.major, tablespaces: tablespacesOf(root) };
  }

  async copyFiles(): Promise<void> {
    const { facts, listener } = this.#options;
    const { pageBytes, blocksPerFile } = this.#host;
    const checks = facts.dataChecksums === 'on' ? { pageBytes, blocksPerFile, before: this.#now.startLsn } : undefined;
    const { parent, isUnchanged } = this.#trust();
    const clusterBytes = this.#clusterBytes();
    const copying = new Copying({ ...this.#options, clusterBytes, checks, parent, isUnchanged });
    const leftOut = (path: RawPath, message: string): void =>
      listener({ kind: 'warning', during: 'scan', item: displayPath(path), message });
    for (const listed of list({ ...this.#listing, leftOut })) {
      if (listed.path === 'PG_VERSION') this.#owner = arrivedAt(listed);
      await copying.take(listed);
    }
    await copying.settled();
    this.#pageChecksums = copying.wrongPages.count === 0 ? 'right' : 'wrong';
    tellWrong(copying.wrongPages, this.#options);
  }

  #trust(): Pick<CopyOptions, 'parent' | 'isUnchanged'> {
    const { listener, component } = this.#options;
    const [parent, reason] = [this.#parent, this.#readAll];
    if (parent !== undefined && reason !== undefined)
      listener({ kind: 'note', name: 'read-all', data: { component, reason } });
    const { startedNs } = this.#now;
    const parentStartedNs = BigInt(parent?.description.reading?.startedNs ?? 0);
    const since = { parentStartedNs, startedNs };
    return { parent, isUnchanged: (stat, held) => reason === undefined && isUnchanged(stat, held, since) };
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
    const range = { timeline, start: this.#now.startLsn, end: lsn };
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
      pageChecksums: this.#pageChecksums,
      system: systemIdentifier,
      reading: readingFacts(this.#parent?.description, this.#now, this.#readAll === undefined ? 'changed' : 'all'),
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

/** All is stored all the same, and most of it is right: a snapshot with a warning is better than none. */
function tellWrong({ first, count }: Copying['wrongPages'], { component, listener }: HostOptions): void {
  const warn = (message: string): void => listener({ kind: 'warning', during: 'scan', item: component, message });
  for (const { path, block } of first)
    warn(`checksum verification failed in file "${displayPath(path)}", block ${block}`);
  if (count > first.length) warn(`checksum verification failed in ${count - first.length} more pages`);
}

import { countOf, fieldsOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { readOwnBytes, writeOwnBytes, type OwnBytes, type PackedOwnBytes } from '../repository/own-bytes.ts';
import type { OwnFiles } from '../repository/own-files.ts';
import { listOwnObjects, readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { aboutOf, sha256 } from './pack.ts';
import type {
  About,
  Extent,
  History,
  Left,
  Listing,
  LogName,
  LogStore,
  Noted,
  PackedSegment,
  Piece,
  SegmentFile,
  Sighting,
} from './log.ts';
import {
  closedFolder,
  historyKey,
  leftKey,
  listingOf,
  openFolder,
  pieceKey,
  segmentKey,
  sightingKey,
  sightingsAmong,
  streamFolders,
  streamOf,
  type NamedSighting,
} from './names.ts';

/** The streams of a component that a repository holds anything of. */
export async function streamsOf(repository: Repository, component: string): Promise<readonly string[]> {
  const listed = await Promise.all(
    streamFolders(component).map(async (folder) => await listOwnObjects(repository, folder)),
  );
  return [...new Set(listed.flat().flatMap(({ key }) => streamOf(component, key) ?? []))].toSorted();
}

/** A component's log in a repository. 'unsupported' where its storage can't hold keys of our own. */
export function openLog(repository: Repository, name: LogName): LogStore {
  if (!repository.storage.capabilities.ownPrefixes)
    throw new HoldfastError('unsupported', `${repository.storage.url} can’t hold a log: it takes restic’s files alone`);
  return new Stored(repository, name);
}

class Stored implements LogStore {
  readonly name: LogName;
  readonly #repository: Repository;

  constructor(repository: Repository, name: LogName) {
    this.#repository = repository;
    this.name = name;
  }

  async list(options: { readonly signal?: AbortSignal } = {}): Promise<Listing> {
    const folders = [closedFolder(this.name), openFolder(this.name)];
    const listed = await Promise.all(
      folders.map(async (folder) => await listOwnObjects(this.#repository, folder, options)),
    );
    return listingOf(
      this.name,
      listed.flat().map(({ key }) => key),
    );
  }

  async put(extent: Extent, segment: Uint8Array | PackedSegment, { times, facts }: Noted): Promise<'stored' | 'there'> {
    const key = segmentKey(this.name, extent);
    const about = aboutOf(segment);
    const done = await this.#write(key, { about, ...('packed' in segment ? segment : { bytes: segment }) });
    const told = times && { earliest: String(times.earliestNs), latest: String(times.latestNs) };
    await this.#writeOnce(`${key}.about`, { ...about, times: told, facts });
    return done;
  }

  async get(extent: Extent): Promise<Uint8Array> {
    return await this.#read(segmentKey(this.name, extent));
  }

  async getInto(extent: Extent, path: string, files: OwnFiles): Promise<SegmentFile> {
    const key = segmentKey(this.name, extent);
    const { about, sha256: found, ...file } = await files.write(this.#repository, key, path);
    if (about['sha256'] === found) return file;
    throw otherBytes(key);
  }

  async about(extent: Extent): Promise<About | undefined> {
    const key = `${segmentKey(this.name, extent)}.about`;
    try {
      const fields = parseFields(await readOwnObject(this.#repository, key), key);
      assertName(fields, key);
      return {
        sha256: textOf(fields['sha256'], key),
        bytes: countOf(fields['bytes'], Number.MAX_SAFE_INTEGER, key),
        times: timesOf(fields['times'], key),
        facts: fieldsOf(fields['facts'], key),
      };
    } catch (error) {
      if (hasCode(error, 'storage-not-found')) return undefined;
      throw error;
    }
  }

  async putPartial(extent: Extent, bytes: Uint8Array): Promise<'stored' | 'there'> {
    return await this.#write(`${segmentKey(this.name, extent)}.partial`, { about: { sha256: sha256(bytes) }, bytes });
  }

  async getPartial(extent: Extent): Promise<Uint8Array> {
    return await this.#read(`${segmentKey(this.name, extent)}.partial`);
  }

  async putHistory({ epoch, parent, forkedAt, bytes }: History): Promise<'stored' | 'there'> {
    const about = { sha256: sha256(bytes), parent, forkedAt: forkedAt.toString(16) };
    return await this.#write(historyKey(this.name, epoch), { about, bytes });
  }

  async getHistory(epoch: number): Promise<History> {
    const key = historyKey(this.name, epoch);
    const { about, bytes } = await readOwnBytes(this.#repository, key);
    const parent = countOf(about['parent'], 0xffff_ffff, key);
    return { epoch, parent, forkedAt: positionOf(textOf(about['forkedAt'], key), key), bytes };
  }

  async storedNs(of: Parameters<LogStore['storedNs']>[0]): Promise<bigint | undefined> {
    const { name } = this;
    const key =
      'historyOf' in of ? historyKey(name, of.historyOf) : 'segment' in of ? pieceKey(name, of) : segmentKey(name, of);
    return (await this.#repository.storage.stat(key)).modifiedNs;
  }

  async putGap(extent: Extent, reason: string): Promise<void> {
    await this.#writeOnce(`${segmentKey(this.name, extent)}.gap`, { reason });
  }

  async gapReason(extent: Extent): Promise<string> {
    return await this.#reason(`${segmentKey(this.name, extent)}.gap`);
  }

  async putLeft(left: Left, reason: string): Promise<void> {
    await this.#writeOnce(leftKey(this.name, left), { reason });
    await this.#readable(async () => await this.leftReason(left));
  }

  async leftReason(left: Left): Promise<string> {
    return await this.#reason(leftKey(this.name, left));
  }

  async #reason(key: string): Promise<string> {
    const fields = parseFields(await readOwnObject(this.#repository, key), key);
    assertName(fields, key);
    return textOf(fields['reason'], key);
  }

  async putPiece(piece: Piece, bytes: Uint8Array): Promise<void> {
    await this.#write(pieceKey(this.name, piece), { about: { sha256: sha256(bytes) }, bytes });
  }

  async getPiece(piece: Piece): Promise<Uint8Array> {
    const key = pieceKey(this.name, piece);
    const bytes = await this.#read(key);
    if (BigInt(bytes.length) !== piece.to - piece.from) throw otherBytes(key);
    return bytes;
  }

  async removePieces(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) await this.#remove(pieceKey(this.name, piece));
  }

  /** A kill between leaves two, of which the newer counts. */
  async putSighting({ heartbeatNs, ...of }: Sighting): Promise<void> {
    const key = sightingKey(this.name, of);
    const before = await this.#sightings();
    const told = { name: key, heartbeat: heartbeatNs === undefined ? undefined : String(heartbeatNs) };
    if (before.some((one) => one.key === key)) return;
    await writeOwnObject(this.#repository, key, json(told));
    for (const one of before) await this.#remove(one.key);
  }

  async sighting(): Promise<Sighting | undefined> {
    for (const { key, epoch, at, timeNs } of await this.#sightings()) {
      try {
        const fields = parseFields(await readOwnObject(this.#repository, key), key);
        assertName(fields, key);
        const { heartbeat } = fields;
        return { epoch, at, timeNs, heartbeatNs: heartbeat === undefined ? undefined : timeOf(heartbeat, key) };
      } catch (error) {
        if (!hasCode(error, 'storage-not-found')) throw error; // another took its place just now
      }
    }
    return undefined;
  }

  async #sightings(): Promise<readonly NamedSighting[]> {
    const listed = await listOwnObjects(this.#repository, openFolder(this.name));
    return sightingsAmong(
      this.name,
      listed.map(({ key }) => key),
    );
  }

  /** What tells of a segment goes before it: a segment without a sidecar is whole, a sidecar alone is nothing. */
  async remove(extents: readonly Extent[]): Promise<void> {
    for (const extent of extents)
      for (const suffix of ['.about', '.partial', '.gap', ''])
        await this.#remove(`${segmentKey(this.name, extent)}${suffix}`);
  }

  async #write(key: string, object: OwnBytes | PackedOwnBytes): Promise<'stored' | 'there'> {
    try {
      await writeOwnBytes(this.#repository, key, object);
      return 'stored';
    } catch (error) {
      if (!hasCode(error, 'storage-exists')) throw error;
      const { about } = await this.#readable(async () => await readOwnBytes(this.#repository, key));
      if (about['sha256'] === object.about['sha256']) return 'there';
      throw conflict(key, error);
    }
  }

  /** Of what can't be read nobody knows whose it is: it is not replaced either. */
  async #readable<T>(standing: () => Promise<T>): Promise<T> {
    try {
      return await standing();
    } catch (error) {
      throw hasCode(error, 'damaged') ? unreadable(error) : error;
    }
  }

  async #read(key: string): Promise<Uint8Array> {
    const { about, bytes } = await readOwnBytes(this.#repository, key);
    if (about['sha256'] === sha256(bytes)) return bytes;
    throw otherBytes(key);
  }

  async #writeOnce(key: string, fields: Fields): Promise<void> {
    try {
      await writeOwnObject(this.#repository, key, json({ name: key, ...fields }));
    } catch (error) {
      if (!hasCode(error, 'storage-exists')) throw error;
    }
  }

  async #remove(key: string): Promise<void> {
    try {
      await removeOwnObject(this.#repository, key);
    } catch (error) {
      if (!hasCode(error, 'storage-not-found')) throw error;
    }
  }
}

function otherBytes(key: string): HoldfastError {
  return new HoldfastError('damaged', `${key} does not hold the bytes that it says it holds`);
}

function unreadable(cause: HoldfastError): HoldfastError {
  return new HoldfastError(
    'storage-exists',
    `${cause.message}; it stands where this is to be, and nothing is replaced`,
    {
      cause,
      next: 'Remove that one object from the storage by the storage’s own means: it is of no use to anybody, and what is to be there is stored then. Nothing was replaced.',
    },
  );
}

function conflict(key: string, cause: unknown): HoldfastError {
  return new HoldfastError('log-conflict', `${key} holds other bytes than these: two clusters write one log`, {
    cause,
  });
}

function assertName(fields: Fields, key: string): void {
  if (fields['name'] !== key) throw new HoldfastError('damaged', `${key} holds the content of another object`);
}

function positionOf(hex: string, what: string): bigint {
  if (/^[0-9a-f]{1,16}$/.test(hex)) return BigInt(`0x${hex}`);
  throw new HoldfastError('damaged', `${what} names no position`);
}

function timesOf(value: unknown, what: string): About['times'] {
  if (value === undefined) return undefined;
  const { earliest, latest } = fieldsOf(value, what);
  return { earliestNs: timeOf(earliest, what), latestNs: timeOf(latest, what) };
}

function timeOf(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new HoldfastError('damaged', `${what} names no time`);
}

function json(fields: Fields): Buffer {
  return Buffer.from(JSON.stringify(fields));
}

import { createHash } from 'node:crypto';
import { countOf, fieldsOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { readOwnBytes, writeOwnBytes, type OwnBytes } from '../repository/own-bytes.ts';
import { listOwnObjects, readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import type { About, Extent, History, Listing, LogName, LogStore, Noted, Piece } from './log.ts';
import {
  closedFolder,
  historyKey,
  listingOf,
  openFolder,
  pieceKey,
  segmentKey,
  streamFolders,
  streamOf,
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

  async list(): Promise<Listing> {
    const folders = [closedFolder(this.name), openFolder(this.name)];
    const listed = await Promise.all(folders.map(async (folder) => await listOwnObjects(this.#repository, folder)));
    return listingOf(
      this.name,
      listed.flat().map(({ key }) => key),
    );
  }

  async put(extent: Extent, bytes: Uint8Array, { times, facts }: Noted): Promise<'stored' | 'there'> {
    const key = segmentKey(this.name, extent);
    const about = { sha256: sha256(bytes), bytes: bytes.length };
    const done = await this.#write(key, { about, bytes });
    const told = times && { earliest: String(times.earliestNs), latest: String(times.latestNs) };
    await this.#writeAbout(`${key}.about`, { ...about, times: told, facts });
    return done;
  }

  async get(extent: Extent): Promise<Uint8Array> {
    return await this.#read(segmentKey(this.name, extent));
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

  async storedNs(of: Extent | Piece): Promise<bigint | undefined> {
    const key = 'segment' in of ? pieceKey(this.name, of) : segmentKey(this.name, of);
    return (await this.#repository.storage.stat(key)).modifiedNs;
  }

  async putGap(extent: Extent, reason: string): Promise<void> {
    const key = `${segmentKey(this.name, extent)}.gap`;
    try {
      await writeOwnObject(this.#repository, key, json({ name: key, reason }));
    } catch (error) {
      if (!hasCode(error, 'storage-exists')) throw error;
    }
  }

  async gapReason(extent: Extent): Promise<string> {
    const key = `${segmentKey(this.name, extent)}.gap`;
    const fields = parseFields(await readOwnObject(this.#repository, key), key);
    assertName(fields, key);
    return textOf(fields['reason'], key);
  }

  async putPiece(piece: Piece, bytes: Uint8Array): Promise<void> {
    await this.#write(pieceKey(this.name, piece), { about: { sha256: sha256(bytes) }, bytes });
  }

  async getPiece(piece: Piece): Promise<Uint8Array> {
    return await this.#read(pieceKey(this.name, piece));
  }

  async removePieces(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) await this.#remove(pieceKey(this.name, piece));
  }

  /** What tells of a segment goes before it: a segment without a sidecar is whole, a sidecar alone is nothing. */
  async remove(extents: readonly Extent[]): Promise<void> {
    for (const extent of extents)
      for (const suffix of ['.about', '.partial', '.gap', ''])
        await this.#remove(`${segmentKey(this.name, extent)}${suffix}`);
  }

  async #write(key: string, object: OwnBytes): Promise<'stored' | 'there'> {
    try {
      await writeOwnBytes(this.#repository, key, object);
      return 'stored';
    } catch (error) {
      if (!hasCode(error, 'storage-exists')) throw error;
      const { about } = await readOwnBytes(this.#repository, key);
      if (about['sha256'] === object.about['sha256']) return 'there';
      throw conflict(key, error);
    }
  }

  async #read(key: string): Promise<Uint8Array> {
    const { about, bytes } = await readOwnBytes(this.#repository, key);
    if (about['sha256'] === sha256(bytes)) return bytes;
    throw new HoldfastError('damaged', `${key} does not hold the bytes that it says it holds`);
  }

  async #writeAbout(key: string, about: Fields): Promise<void> {
    try {
      await writeOwnObject(this.#repository, key, json({ name: key, ...about }));
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

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { Crew } from '../../../host/crew.ts';
import { reasonOf } from '../../../host/system-error.ts';
import type { LogName } from '../../../log/log.ts';
import { segmentRoomBytes } from '../../../log/pack.ts';
import { kindOfLogFile, readLogFile, type LogFile } from './log-file.ts';
import type { PackingReply, PackingRequest } from './packing-protocol.ts';

const entry = new URL(import.meta.url.endsWith('.ts') ? 'packing-worker.ts' : 'packing-worker.js', import.meta.url);
/** The server has work of its own for its processors. */
const mostThreads = 2;

export interface PackingOptions {
  /** pg_wal. */
  readonly folder: string;
  readonly name: LogName;
}

/** A file of the log, ready to be stored. */
export interface Packed {
  readonly file: LogFile;
  /** Its memory is used again; who never says so costs memory only. */
  readonly free: () => void;
}

/** Reads what the server hands over; segments on threads, which also compress them. */
export class Packing implements AsyncDisposable {
  readonly #options: PackingOptions;
  readonly #crew: Crew<PackingRequest, PackingReply>;
  /** Memory of segments that are stored: of one size, since a cluster's segments are. */
  readonly #rooms: SharedArrayBuffer[] = [];

  constructor(options: PackingOptions) {
    this.#options = options;
    this.#crew = new Crew({
      ...{ entry, name: 'packing', workers: Math.min(availableParallelism(), mostThreads) },
      setUp: { kind: 'set-up', ...options },
      isReply: (_message): _message is PackingReply => true,
      onMessage: () => undefined,
      onIdle: () => undefined,
      onFailure: () => undefined, // each request fails with it
    });
  }

  /** Rejects with 'source-failed' or 'refused' where the file isn't what it should be. */
  async read(file: string): Promise<Packed> {
    const { folder, name } = this.#options;
    if (kindOfLogFile(file) === 'segment') return await this.#pack(file);
    return { file: await readLogFile(folder, file, name.stream), free: () => undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew[Symbol.asyncDispose]();
  }

  async #pack(file: string): Promise<Packed> {
    const sizeBytes = this.#sizeOf(file);
    const room = this.#roomOf(segmentRoomBytes(sizeBytes));
    const reply = await this.#crew.run({ kind: 'pack', file, sizeBytes, room });
    if (reply.kind === 'packed') return { file: { ...reply, kind: 'segment' }, free: () => this.#keep(room) };
    this.#keep(room);
    const { code, message, next } = reply;
    throw new HoldfastError(code, message, next === undefined ? {} : { next });
  }

  #sizeOf(file: string): number {
    try {
      const { size } = statSync(join(this.#options.folder, file));
      if (size <= mostSegmentBytes) return size;
    } catch (cause) {
      throw new HoldfastError('source-failed', `the log's file ${file} can't be read: ${reasonOf(cause)}`, { cause });
    }
    throw new HoldfastError('source-failed', `the log's file ${file} is larger than any segment`);
  }

  #roomOf(bytes: number): SharedArrayBuffer {
    const room = this.#rooms.pop();
    return room?.byteLength === bytes ? room : new SharedArrayBuffer(bytes);
  }

  #keep(room: SharedArrayBuffer): void {
    this.#rooms.push(room);
  }
}

const mostSegmentBytes = 2 ** 30;

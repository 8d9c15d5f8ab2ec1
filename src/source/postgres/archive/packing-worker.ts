import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { serveRequests } from '../../../host/worker.ts';
import { reasonOf } from '../../../host/system-error.ts';
import type { LogName } from '../../../log/log.ts';
import { packSegment, segmentAt } from '../../../log/pack.ts';
import { notedOf } from '../wal/noted.ts';
import { segmentFacts } from '../wal/segment.ts';
import { assertOfCluster, extentOf } from './log-file.ts';
import type { PackingReply, PackingRequest } from './packing-protocol.ts';

type Pack = Extract<PackingRequest, { readonly kind: 'pack' }>;

/** The entry file of the threads that read segments, tell what is in them, hash and compress them. */
class PackingThread {
  readonly #folder: string;
  readonly #name: LogName;
  /** Filled anew by each segment: memory that is taken anew costs more than what is read into it. */
  #memory = Buffer.alloc(0);

  constructor({ folder, name }: Extract<PackingRequest, { readonly kind: 'set-up' }>) {
    this.#folder = folder;
    this.#name = name;
  }

  /** What is wrong with a file is an answer; a defect ends the thread. */
  answer(request: Pack): PackingReply {
    try {
      return this.#pack(request);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const { code, message, next } = error;
      return { kind: 'failed', code, message, next };
    }
  }

  #pack({ file, sizeBytes, room }: Pack): PackingReply {
    const wholeBytes = segmentAt + sizeBytes;
    if (this.#memory.length !== wholeBytes) this.#memory = Buffer.allocUnsafeSlow(wholeBytes);
    const bytes = this.#memory.subarray(segmentAt);
    readInto(bytes, join(this.#folder, file), file);
    const facts = segmentFacts(file, bytes);
    assertOfCluster(facts, this.#name.stream);
    const extent = extentOf(facts);
    const noted = notedOf(facts, bytes);
    const segment = packSegment(this.#name, extent, this.#memory, new Uint8Array(room));
    return { kind: 'packed', extent, segment, noted };
  }
}

function readInto(bytes: Uint8Array, path: string, name: string): void {
  let at = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && at < bytes.length; at += read)
        read = readSync(file, bytes, at, bytes.length - at, at);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new HoldfastError('source-failed', `the log's file ${name} can't be read: ${reasonOf(cause)}`, { cause });
  }
  if (at < bytes.length)
    throw new HoldfastError('source-failed', `the log's file ${name} became shorter while it was read`);
}

let thread: PackingThread | undefined;
serveRequests<PackingRequest, PackingReply>((request) => {
  if (request.kind === 'set-up') {
    thread = new PackingThread(request);
    return undefined;
  }
  if (thread === undefined) throw new HoldfastError('internal', 'a thread was asked before it was set up');
  return thread.answer(request);
});

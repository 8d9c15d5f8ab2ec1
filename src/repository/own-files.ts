import { availableParallelism } from 'node:os';
import { sealOverhead } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import { Crew } from '../host/crew.ts';
import type { FileReply, FileRequest, OwnFile } from './own-file/protocol.ts';
import { maxOwnBytes } from './own-form.ts';
import type { Repository } from './repository.ts';
import { sessionOf } from './session.ts';

export type { OwnFile } from './own-file/protocol.ts';

const entry = new URL(
  import.meta.url.endsWith('.ts') ? 'own-file/write-worker.ts' : 'own-file/write-worker.js',
  import.meta.url,
);
/** Who waits for the files, a server, has work of its own for its processors. */
const mostThreads = 2;

/**
 * Threads that bring own bytes (own-bytes.ts) into files, checked as `readOwnBytes` does; they are started when there is
 * something to do. For large ones: this thread only fetches what is sealed.
 */
export class OwnFiles implements AsyncDisposable {
  readonly #crew = new Crew<FileRequest, FileReply>({
    ...{ entry, name: 'writing', workers: Math.min(availableParallelism(), mostThreads) },
    setUp: { kind: 'set-up' },
    isReply: (_message): _message is FileReply => true,
    onMessage: () => undefined,
    onIdle: () => undefined,
    onFailure: () => undefined, // each request fails with it
  });

  /**
   * Makes or overwrites the file; where it rejects the file is of no use. 'storage-not-found' says for certain that there is
   * no such object, 'source-failed' that the file can't be written.
   */
  async write(repository: Repository, name: string, path: string): Promise<OwnFile> {
    const { storage, key } = sessionOf(repository);
    const stored = await storage.get(name, { maxBytes: maxOwnBytes + sealOverhead });
    const reply = await this.#crew.run({ kind: 'write', key, name, stored, path }, { transfer: wholeBuffers(stored) });
    if (reply.kind === 'written') return reply.file;
    if (reply.code === 'damaged') throw new HoldfastError('damaged', `${name} can't be opened: ${reply.message}`);
    throw new HoldfastError(reply.code, reply.message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#crew[Symbol.asyncDispose]();
  }
}

/** What can be handed over: memory that others stand in as well is copied. */
function wholeBuffers({ buffer, byteLength }: Uint8Array): readonly ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

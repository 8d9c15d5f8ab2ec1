import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { crc32c } from '../../../src/bytes/crc32c.ts';
import { systemPath, type FileId } from '../../../src/bytes/ids.ts';
import { systemClock } from '../../../src/clock/clock.ts';
import { HoldfastError } from '../../../src/errors/error.ts';
import { backup, type BackupOutcome } from '../../../src/job/backup.ts';
import { listSnapshots } from '../../../src/snapshot/snapshots.ts';
import type { Content, StoredContent } from '../../../src/repository/content.ts';
import type { ExternalPoints } from '../../../src/source/external.ts';
import { referenceOf } from '../../../src/policy/secrets.ts';
import { readSecret as readSecretAt } from '../../../src/secret/secret.ts';
import type { OpenedSource, Source, Surroundings, WalkOptions } from '../../../src/source/source.ts';
import { MemoryStorage } from '../../../src/storage/memory.ts';
import { jobContext, newRepository, restoreSnapshot } from '../engine.ts';
import { writerOptions } from '../pipeline.ts';
import { tempDir, type TempDir } from '../temp-dir.ts';
import { Told, type SourceSubject } from './subject.ts';

export const component = 'guinea-pig';

/** One subject in a folder of its own, and what it told. */
export class SourceTrial implements AsyncDisposable {
  readonly told = new Told();
  readonly subject: SourceSubject;
  readonly dir: TempDir;
  readonly options: unknown;

  private constructor(subject: SourceSubject, dir: TempDir, options: unknown) {
    this.subject = subject;
    this.dir = dir;
    this.options = options;
  }

  static async of(subject: SourceSubject): Promise<SourceTrial> {
    const dir = await tempDir();
    return new SourceTrial(subject, dir, subject.kind.schema.parse(await subject.prepare(dir.path)));
  }

  open(options: unknown = this.options): OpenedSource {
    const { open } = this.subject.kind;
    assert.ok(open, 'a kind without a driver');
    const readSecret: Surroundings['readSecret'] = async (reference, signal) =>
      await readSecretAt(referenceOf(reference, {}), signal);
    return open(this.subject.kind.schema.parse(options), { component, clock: systemClock, readSecret, leftOut: [] });
  }

  source(options?: unknown): Source {
    const { source } = this.open(options);
    assert.ok(source, 'it has nothing to read');
    return source;
  }

  external(): ExternalPoints {
    const { external } = this.open();
    assert.ok(external, 'it holds no points');
    return external;
  }

  get walk(): WalkOptions {
    return { listener: this.told.listener, signal: new AbortController().signal, store: readOnly };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dir[Symbol.asyncDispose]();
  }
}

/** As a repository would that has all of it already. */
const readOnly: NonNullable<WalkOptions['store']> = async (content) => {
  if (content.kind === 'live-file') return storedLive(content);
  if (content.kind === 'stream') return await storedStream(content.stream);
  const sizeBytes = content.kind === 'bytes' ? content.bytes.length : content.kind === 'file' ? content.sizeBytes : 0;
  return { ids: [], sizeBytes, newBlobs: 0, newBytes: 0, storedBytes: 0 };
};

/** Looked at, whether that is asked for or not. */
async function storedStream(stream: AsyncIterable<Uint8Array>): Promise<StoredContent> {
  let [sizeBytes, crc] = [0, 0];
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    crc = crc32c(crc, chunk);
  }
  return { ids: [], sizeBytes, newBlobs: 0, newBytes: 0, storedBytes: 0, read: { crc32c: crc, wrongBlocks: [] } };
}

/** A backup into a repository in memory; what a failure left there is looked for. */
export class TrialRepository {
  readonly #storage = new MemoryStorage();
  readonly #made = newRepository(this.#storage);

  async backUp({ told }: SourceTrial, opened: OpenedSource): Promise<BackupOutcome> {
    await this.#made;
    const { source, paths, excludes } = opened;
    assert.ok(source);
    const { signal: _signal, ...writer } = writerOptions();
    const maker = { hostname: 'host', username: 'ann', uid: 0, gid: 0, programVersion: 'holdfast test' };
    return await backup(
      { ...jobContext(this.#storage), listener: told.listener },
      {
        source,
        paths,
        parent: { kind: 'none' },
        detection: { mode: 'read-all', ctime: 'compared', inode: 'compared' },
        snapshot: { ...maker, tags: [], excludes },
        writer,
        whenUnchanged: 'save',
        scan: 'measure',
        notes: 'none',
      },
    );
  }

  async restore(id: FileId | undefined, target: string): Promise<void> {
    assert.ok(id, 'no snapshot was written');
    const { failures } = await restoreSnapshot(jobContext(this.#storage), id, target);
    assert.equal(failures, 0);
  }

  async count(): Promise<number> {
    return (await listSnapshots(await this.#made)).length;
  }
}

/** What it fails with, which is told; a defect is none. */
export async function failureOf({ told }: SourceTrial, work: () => Promise<unknown>): Promise<HoldfastError> {
  try {
    await work();
  } catch (error) {
    told.things.push(error);
    assert.ok(error instanceof HoldfastError, `a defect: ${String(error)}`);
    return error;
  }
  return assert.fail('it succeeded');
}

const soonMs = 60_000;

/** Aborts what is under way once it has begun; it has to end soon, and with the reason. */
export async function assertAborts(
  begin: (signal: AbortSignal) => Promise<unknown>,
  hasBegun: () => boolean = () => true,
): Promise<void> {
  const aborting = new AbortController();
  const late = AbortSignal.timeout(soonMs);
  const reason = new HoldfastError('interrupted', 'enough');
  const ended = begin(aborting.signal).then(
    () => assert.fail('it ended as if nothing had happened'),
    (error: unknown) => assert.equal(error, reason),
  );
  while (!hasBegun()) {
    late.throwIfAborted();
    await new Promise(setImmediate);
  }
  aborting.abort(reason);
  const patience = new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(late.reason)));
  await Promise.race([ended, patience]);
}

/** As workers read a file that is written to meanwhile. */
function storedLive({ path, sizeBytes }: Extract<Content, { kind: 'live-file' }>): StoredContent {
  const bytes = Buffer.alloc(sizeBytes);
  readFileSync(systemPath(path)).copy(bytes);
  const read = { crc32c: crc32c(0, bytes), wrongBlocks: [] };
  return { ids: [], sizeBytes, newBlobs: 0, newBytes: 0, storedBytes: 0, read };
}

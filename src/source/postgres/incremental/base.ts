import { displayPath, rawPathOf, rawPathOfByteString, type RawPath } from '../../../bytes/ids.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { ParentFiles } from '../../source.ts';
import { ServerError, type ServerConnection } from '../connect.ts';
import type { MergedFacts } from '../description.ts';
import { makeManifest } from '../host/make-manifest.ts';
import { openParent, type Parent } from '../host/parent.ts';
import { parseLsn } from '../lsn.ts';
import { cutOf } from '../placing.ts';
import type { ServerFacts } from '../server.ts';
import { settingsOf, whyFull } from './why-full.ts';
import type { Before } from './patch.ts';

/** The parent snapshot, as what a server's incremental backup is put into. */
export interface IncrementalBase {
  readonly systemIdentifier: string;
  readonly merged: MergedFacts;
  /** Tells the server what the parent holds; on this connection it can be asked for what changed since. */
  upload(replication: ServerConnection): Promise<void>;
  /** undefined: the parent doesn't hold it, or not as it should. */
  before(path: RawPath, clusterBytes: number): Promise<Before | undefined>;
}

/** Why a backup has to be sent as a whole, told once the server was asked for less. */
export class CantMerge extends HoldfastError {
  constructor(reason: string, cause?: unknown) {
    super('source-failed', reason, { cause });
  }
}

export class NotInParent extends CantMerge {
  constructor(path: RawPath) {
    super(`the parent snapshot does not hold ${displayPath(path)}, of which the server sent changes`);
  }
}

export interface BaseOptions {
  readonly component: string;
  readonly facts: ServerFacts;
  readonly parent: ParentFiles | undefined;
  readonly clock: Clock;
}

/** Or why there is none. */
export async function incrementalBase(
  server: ServerConnection,
  { component, facts, parent: files, clock }: BaseOptions,
): Promise<IncrementalBase | string> {
  if (facts.major < 17) return 'servers can tell what changed from PostgreSQL 17 on';
  const parent = await openParent(files, component);
  const now = { ...(await settingsOf(server)), facts, nowNs: clock.nowNs() };
  const reason = whyFull(parent?.description, now);
  if (reason !== undefined || parent === undefined || files === undefined) return reason ?? 'there is no parent';
  const { merged: before, timeNs = '0', systemIdentifier } = parent.description;
  return {
    systemIdentifier,
    merged: { fullNs: before?.fullNs ?? timeNs, sinceFull: (before?.sinceFull ?? 0) + 1 },
    upload: async (replication) => await upload(replication, manifestOf(parent)),
    before: async (path, clusterBytes) => await beforeOf(parent, files, path, clusterBytes),
  };
}

/**
 * What the server may take for known. A bit of a visibility map is cleared without a word in the log (heap_delete and its
 * like name the page of the table alone), so that the summaries don't have it, and a merge would bring an old map back:
 * index-only scans would show what is gone. A file that the manifest doesn't list comes as a whole.
 */
function manifestOf(parent: Parent): Iterable<Uint8Array> {
  const { major, systemIdentifier, timeline, startLsn, endLsn } = parent.description;
  const files = Iterator.from(parent.manifested()).filter(({ path }) => !/_vm(?:\.\d+)?$/.test(path));
  const range = { timeline, start: parseLsn(startLsn), end: parseLsn(endLsn) };
  return makeManifest(
    files.map((file) => ({ ...file, mtimeNs: 0n })),
    { major, systemIdentifier, range },
  );
}

/** Whatever the server has against it, a backup as a whole needs none of it. */
async function upload(replication: ServerConnection, manifest: Iterable<Uint8Array>): Promise<void> {
  const talk = replication.converse('UPLOAD_MANIFEST');
  try {
    for await (const answer of talk.answers) {
      if (answer.kind !== 'copy-start') continue;
      for (const piece of manifest) talk.send(piece);
      talk.end();
    }
  } catch (error) {
    if (error instanceof ServerError) throw new CantMerge(error.message, error);
    throw error;
  }
}

async function beforeOf(
  parent: Parent,
  files: ParentFiles,
  path: RawPath,
  clusterBytes: number,
): Promise<Before | undefined> {
  const held = await parent.find(path);
  if (held?.ids === undefined || held.crc32c === undefined) return undefined;
  const cut = cutOf(path, clusterBytes, held.cutBytes);
  if (cut === 'rabin') return undefined;
  const { ids, sizeBytes, crc32c } = held;
  const chunkBytes = cut.pagesBytes;
  if (ids.length !== Math.ceil(sizeBytes / chunkBytes)) return undefined;
  return { ids, sizeBytes, crc32c, chunkBytes, chunk: async (id) => await files.chunk(id) };
}

/** `base/5/INCREMENTAL.16384` becomes `base/5/16384`; undefined for a file that comes as a whole. */
export function wholeName(path: RawPath): RawPath | undefined {
  const [, folder, name] = /^(.*\/)INCREMENTAL\.([^/]+)$/.exec(path) ?? [];
  return folder === undefined || name === undefined ? undefined : rawPathOfByteString(`${folder}${name}`);
}

export const labelName = rawPathOf('backup_label');

/** What says that it is to be merged before anything can start from it. */
export function mergedLabel(label: Buffer): Buffer {
  const lines = label.toString('latin1').split('\n');
  const kept = lines.filter((line) => !/^INCREMENTAL FROM (?:LSN|TLI): /.test(line));
  return Buffer.from(kept.join('\n'), 'latin1');
}

import { readdir, readFile } from 'node:fs/promises';
import { displayPath, rawPath, rawPathOf, rawPathOfByteString, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { hasCode } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import { manifestName } from '../check-manifest.ts';
import { crc32c, crc32cText } from '../../../bytes/crc32c.ts';
import type { Description } from '../description.ts';
import { parseLsn, segmentsOf } from '../lsn.ts';
import { ManifestReader, type ManifestFile } from '../manifest.ts';
import { isLeftOut, isLog } from '../placing.ts';
import { readingBuffer, readPieces } from './read-pieces.ts';
import { firstOf } from './step.ts';
import { sizeAt } from '../../size-at.ts';

const about = {
  name: 'manifest',
  expected: 'every file as the backup’s manifest has it, and the log beside it',
} as const;

/**
 * Holds a data directory that was restored, and not yet started, against what the server listed when it was backed up:
 * each file's size and CRC-32C, nothing beside them, the log from start to end, and the label that says where it starts.
 */
export async function heldAgainstManifest(
  data: string,
  description: Description,
  signal: AbortSignal,
): Promise<RehearsedStep> {
  const wrong = [
    ...(await wrongOfIdentity(data, description)),
    ...(await wrongOfLog(data, description)),
    ...(await wrongOfLabel(data, description)),
  ];
  const files = await heldFiles(data, signal);
  wrong.push(...files.wrong);
  if (wrong.length > 0) return { ...about, state: 'failed', found: firstOf(wrong) };
  return { ...about, state: 'passed', found: `${files.count} files, as they were sent` };
}

/** A control file begins with the system identifier, in the order of bytes of its machine (pg_control.h). */
async function wrongOfIdentity(data: string, { major, systemIdentifier }: Description): Promise<readonly string[]> {
  const version = await textOf(`${data}/PG_VERSION`);
  const control = Buffer.from((await textOf(`${data}/global/pg_control`)) ?? '', 'latin1');
  const system =
    control.length < 8 ? 'none' : String(new DataView(control.buffer, control.byteOffset).getBigUint64(0, true));
  return [
    ...(version?.trim() === String(major) ? [] : [`PG_VERSION: ${version?.trim() ?? 'none'}, of ${major}`]),
    ...(system === systemIdentifier
      ? []
      : [`global/pg_control: of the cluster ${system}, and not ${systemIdentifier}`]),
  ];
}

async function wrongOfLog(data: string, description: Description): Promise<readonly string[]> {
  const { timeline, walSegmentBytes } = description;
  const range = { timeline, start: parseLsn(description.startLsn), end: parseLsn(description.endLsn) };
  const wrong: string[] = [];
  for (const name of segmentsOf(range, walSegmentBytes)) {
    const bytes = await sizeAt(`${data}/pg_wal/${name}`);
    if (bytes === undefined) wrong.push(`pg_wal/${name}: it is not there`);
    else if (bytes !== walSegmentBytes) wrong.push(`pg_wal/${name}: ${bytes} bytes, of ${walSegmentBytes}`);
  }
  return wrong;
}

/** Without it a server would start at its newest checkpoint, as if it were consistent there. */
async function wrongOfLabel(data: string, { startLsn }: Description): Promise<readonly string[]> {
  const label = await textOf(`${data}/backup_label`);
  if (label === undefined) return ['backup_label: it is not there'];
  const [, start = 'nowhere'] = /^START WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) /m.exec(label) ?? [];
  return start !== 'nowhere' && parseLsn(start) === parseLsn(startLsn)
    ? []
    : [`backup_label: it begins at ${start}, and the backup at ${startLsn}`];
}

interface Held {
  readonly wrong: readonly string[];
  readonly count: number;
}

async function heldFiles(data: string, signal: AbortSignal): Promise<Held> {
  try {
    const listed = await listedIn(`${data}/${manifestName}`);
    const count = listed.size;
    const [wrong, buffer]: [string[], Buffer] = [[], readingBuffer()];
    for await (const path of filesBelow(data)) {
      signal.throwIfAborted();
      const file = listed.get(path);
      listed.delete(path);
      const how = await differenceOf(data, path, file, buffer);
      if (how !== undefined) wrong.push(`${displayPath(path)}: ${how}`);
    }
    const missing = [...listed.keys()].filter((path) => !isLeftOut(path));
    wrong.push(...missing.map((path) => `${displayPath(path)}: it is not there`));
    return { wrong, count };
  } catch (error) {
    if (hasCode(error, 'source-failed')) return { wrong: [error.message], count: 0 };
    if (errorCode(error) === 'ENOENT') return { wrong: [reasonOf(error)], count: 0 };
    throw error;
  }
}

async function listedIn(manifest: string): Promise<Map<RawPath, ManifestFile>> {
  const listed = new Map<RawPath, ManifestFile>();
  const reader = new ManifestReader((file) => listed.set(file.path, file));
  for await (const piece of readPieces(manifest, readingBuffer())) reader.add(piece);
  reader.end();
  return listed;
}

async function differenceOf(
  data: string,
  path: RawPath,
  file: ManifestFile | undefined,
  buffer: Buffer,
): Promise<string | undefined> {
  if (isLeftOut(path)) return 'a copy must not have it';
  if (path === manifestName || isLog(path)) return undefined;
  if (file === undefined) return 'it is not listed';
  let [bytes, crc] = [0, 0];
  for await (const piece of readPieces(inside(data, path), buffer)) {
    bytes += piece.length;
    crc = crc32c(crc, piece);
  }
  if (bytes !== file.sizeBytes) return `${bytes} bytes, of ${file.sizeBytes}`;
  return crc32cText(crc) === file.crc32c ? undefined : 'its checksum is another';
}

function inside(data: string, path: RawPath): string | Buffer {
  return systemPath(rawPathOfByteString(`${rawPathOf(data)}/${path}`));
}

/** Whatever is no folder, below a folder, by its path in there. */
async function* filesBelow(data: string, folder = rawPathOf('')): AsyncGenerator<RawPath> {
  const place = folder === '' ? data : inside(data, folder);
  for (const entry of await readdir(place, { withFileTypes: true, encoding: 'buffer' })) {
    const name = rawPath(entry.name);
    const path = folder === '' ? name : rawPathOfByteString(`${folder}/${name}`);
    if (entry.isDirectory()) yield* filesBelow(data, path);
    else yield path;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

import { createHash } from 'node:crypto';
import { fileIdOf, type FileId } from '../../bytes/ids.ts';
import { open, type RepositoryKey } from '../../crypto/seal.ts';
import { hasCode } from '../../errors/error.ts';
import { openBlob } from '../blob.ts';
import { decodeHeader, readSealedHeader, type PackedBlob, type ReadRange } from '../pack.ts';
import type { Finding, FindingCode } from './finding.ts';

/** A pack to be read as a whole. */
export interface PackToCheck {
  readonly id: FileId;
  /** As the storage says. */
  readonly sizeBytes: number;
  /** As the index says, by offset. */
  readonly blobs: readonly PackedBlob[];
}

export interface PackFinding extends Finding {
  readonly pack: FileId;
  /** Of the blob that is damaged. */
  readonly offset?: number;
}

/** Packs are read in spans of this size; a usual pack is one. */
const spanBytes = 32 * 1024 * 1024;

/**
 * Reads every byte of a pack and compares name, blobs and header with each other. Storage errors are thrown. Takes
 * the memory of one span, or of the largest blob.
 */
export async function checkPackData(
  key: RepositoryKey,
  pack: PackToCheck,
  read: ReadRange,
): Promise<readonly PackFinding[]> {
  const findings: PackFinding[] = [];
  const add = (code: FindingCode, problem: string, blob?: PackedBlob): void => {
    const about = blob ? { blob: { type: blob.type, id: blob.id }, offset: blob.offset } : {};
    findings.push({ severity: 'error', code, pack: pack.id, message: `pack ${pack.id}: ${problem}`, ...about });
  };
  if (!isContiguous(pack.blobs)) add('pack-gap', 'its index leaves gaps between blobs, or has them overlap');
  for (const blob of pack.blobs)
    if (endOf(blob) > pack.sizeBytes) add('blob-damaged', `${nameOf(blob)} is cut off`, blob);
  const hash = createHash('sha256');
  for (const { offset, length, hashed, blobs } of spansOf(pack)) {
    const bytes = await read(offset, length);
    if (hashed) hash.update(bytes);
    for (const blob of blobs) {
      const sealed = bytes.subarray(blob.offset - offset, endOf(blob) - offset);
      const problem = blobProblem(key, blob, sealed);
      if (problem !== undefined) add('blob-damaged', `${nameOf(blob)}: ${problem}`, blob);
    }
  }
  const actual = fileIdOf(hash.digest());
  if (actual !== pack.id) add('pack-hash', `its bytes have the hash ${actual}`);
  const problem = await headerProblem(key, pack, read);
  if (problem !== undefined) add('pack-header', problem);
  return findings;
}

function nameOf({ type, id }: PackedBlob): string {
  return `the ${type} blob ${id}`;
}

function endOf(blob: PackedBlob): number {
  return blob.offset + blob.length;
}

function isContiguous(blobs: readonly PackedBlob[]): boolean {
  let end = 0;
  for (const blob of blobs) {
    if (blob.offset !== end) return false;
    end = endOf(blob);
  }
  return true;
}

interface Span {
  readonly offset: number;
  readonly length: number;
  /** Those whose spans count for the pack's hash cover it from start to end. */
  readonly hashed: boolean;
  readonly blobs: readonly PackedBlob[];
}

function* spansOf({ blobs, sizeBytes }: PackToCheck): Generator<Span, void, void> {
  const whole = blobs.filter((blob) => endOf(blob) <= sizeBytes);
  if (isContiguous(whole)) return yield* contiguousSpans(whole, sizeBytes);
  yield* plainSpans(0, sizeBytes);
  for (const blob of whole) yield { offset: blob.offset, length: blob.length, hashed: false, blobs: [blob] };
}

/** As many blobs at once as fit in a span, then what follows them. */
function* contiguousSpans(blobs: readonly PackedBlob[], sizeBytes: number): Generator<Span, void, void> {
  let offset = 0;
  let inside: PackedBlob[] = [];
  for (const blob of blobs) {
    if (inside.length > 0 && endOf(blob) - offset > spanBytes) {
      yield { offset, length: blob.offset - offset, hashed: true, blobs: inside };
      [offset, inside] = [blob.offset, []];
    }
    inside.push(blob);
  }
  const end = blobs.at(-1);
  const length = (end ? endOf(end) : 0) - offset;
  const rest = sizeBytes - offset - length;
  if (length + rest <= spanBytes) {
    yield { offset, length: length + rest, hashed: true, blobs: inside };
    return;
  }
  yield { offset, length, hashed: true, blobs: inside };
  yield* plainSpans(offset + length, sizeBytes);
}

function* plainSpans(from: number, to: number): Generator<Span, void, void> {
  for (let offset = from; offset < to; offset += spanBytes) {
    yield { offset, length: Math.min(spanBytes, to - offset), hashed: true, blobs: [] };
  }
}

function blobProblem(key: RepositoryKey, blob: PackedBlob, sealed: Uint8Array): string | undefined {
  try {
    openBlob(key, blob, sealed);
    return undefined;
  } catch (error) {
    if (hasCode(error, 'damaged')) return error.message;
    throw error;
  }
}

async function headerProblem(key: RepositoryKey, pack: PackToCheck, read: ReadRange): Promise<string | undefined> {
  try {
    const { sealed, offset } = await readSealedHeader(pack.sizeBytes, read);
    const named = decodeHeader(open(key, sealed), offset);
    return sameBlobs(named, pack.blobs) ? undefined : 'its header names other blobs than its index';
  } catch (error) {
    if (hasCode(error, 'damaged')) return error.message;
    throw error;
  }
}

function sameBlobs(named: readonly PackedBlob[], indexed: readonly PackedBlob[]): boolean {
  return named.length === indexed.length && named.every((blob, at) => sameBlob(blob, indexed[at]));
}

function sameBlob(a: PackedBlob, b: PackedBlob | undefined): boolean {
  return (
    a.id === b?.id &&
    a.type === b.type &&
    a.offset === b.offset &&
    a.length === b.length &&
    a.plainLength === b.plainLength &&
    a.compressed === b.compressed
  );
}

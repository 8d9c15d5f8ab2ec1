import { rawPathOfByteString, type RawPath } from '../../../bytes/ids.ts';
import type { ErrorCode } from '../../../errors/codes.ts';
import { hasCode, HoldfastError } from '../../../errors/error.ts';
import type { ParentFile, ParentFiles } from '../../source.ts';
import { crc32cOf } from '../../../bytes/crc32c.ts';
import { manifestName } from '../check-manifest.ts';
import { parseDescription, type Description } from '../description.ts';
import { ManifestReader } from '../manifest.ts';
import type { ManifestedFile } from '../spool.ts';

const ofOneParent: readonly ErrorCode[] = [
  'path-not-found',
  'blob-missing',
  'damaged',
  'storage-not-found',
  'source-failed',
];
const longestDescription = 16 * 2 ** 20;

/** The component's parent snapshot: what it was a backup of, and what its data directory held. */
export interface Parent {
  readonly description: Description;
  find(path: RawPath): Promise<HeldFile | undefined>;
  /** What its manifest lists. */
  manifested(): Iterable<Omit<ManifestedFile, 'mtimeNs'>>;
}

/** With its checksum, where the manifest of the parent has one for a file of this size. */
export interface HeldFile extends ParentFile {
  readonly crc32c: number | undefined;
}

/** undefined where there is none, or it can't be read: then everything is read from the data directory. */
export async function openParent(files: ParentFiles | undefined, component: string): Promise<Parent | undefined> {
  if (files === undefined) return undefined;
  const inside = (name: string): RawPath => rawPathOfByteString(`${component}/${name}`);
  try {
    const description = parseDescription(await textOf(files.read(inside('postgres.json'))));
    const checksums = await checksumsOf(files.read(inside(`data/${manifestName}`)));
    const find: Parent['find'] = async (path) => {
      const file = await files.find(inside(`data/${path}`));
      const checksum = checksums.get(path);
      return file && { ...file, crc32c: checksum?.sizeBytes === file.sizeBytes ? checksum.crc32c : undefined };
    };
    const manifested = () => checksums.entries().map(([path, checksum]) => ({ path, ...checksum }));
    return { description, find, manifested };
  } catch (error) {
    if (!hasCode(error, ...ofOneParent)) throw error;
    return undefined;
  }
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > longestDescription) throw new HoldfastError('damaged', 'postgres.json of the parent is too long');
    held.push(piece);
  }
  return Buffer.concat(held).toString();
}

interface Checksum {
  readonly sizeBytes: number;
  readonly crc32c: number;
}

async function checksumsOf(pieces: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<RawPath, Checksum>> {
  const checksums = new Map<RawPath, Checksum>();
  const reader = new ManifestReader(({ path, sizeBytes, crc32c }) => {
    if (/^[0-9a-f]{8}$/.test(crc32c)) checksums.set(path, { sizeBytes, crc32c: crc32cOf(crc32c) });
  });
  for await (const piece of pieces) reader.add(piece);
  reader.end();
  return checksums;
}

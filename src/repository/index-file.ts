import { countOf, fieldsExcept, fieldsOf, listOf, parseFields, textOf, type Fields } from '../bytes/fields.ts';
import { parseBlobId, parseFileId, type FileId } from '../bytes/ids.ts';
import { sealOverhead } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import { scanPacks } from './index-file/scan.ts';
import type { BlobType } from './index.ts';
import type { PackedBlob } from './pack.ts';

/** An index file's plaintext: packs and where their blobs stand. */
export interface IndexFile {
  readonly packs: readonly IndexedPack[];
  /** Marked by rustic, which deletes them a day later: their blobs count as absent. */
  readonly packsToDelete: readonly IndexedPack[];
  /** What only other clients know, at the top. */
  readonly other: Fields;
}

export interface IndexedPack {
  readonly id: FileId;
  readonly blobs: readonly PackedBlob[];
  /** What only other clients know of this pack (rustic: time, size). */
  readonly other: Fields;
}

const maxUint32 = 0xffffffff;

/** `name` is told in errors, which are 'damaged'. */
export function decodeIndexFile(plaintext: Uint8Array, name: string): IndexFile {
  assertSparse(plaintext, name);
  const fields = parseFields(plaintext, name);
  return {
    packs: packsOf(fields['packs'], `${name}: packs`),
    packsToDelete: packsOf(fields['packs_to_delete'], `${name}: packs_to_delete`),
    other: fieldsExcept(fields, 'packs', 'packs_to_delete'),
  };
}

/** 1 for each byte that makes JSON out of values. */
const structure = new Uint8Array(256);
for (const mark of Buffer.from('{[:,')) structure[mark] = 1;

/**
 * An index is mostly IDs of 64 digits. Text made of empty lists and the like, however short in storage, would take
 * many times its length once parsed: refused before that.
 */
function assertSparse(plaintext: Uint8Array, name: string): void {
  let marks = 0;
  for (const byte of plaintext) marks += structure[byte] ?? 0;
  const most = 1024 + plaintext.length / 8;
  if (marks > most) throw new HoldfastError('damaged', `${name} is no index: it consists of punctuation`);
}

/** The packs of an index file, one by one where it is written as usual: the same as `decodeIndexFile` finds. */
export function* indexedPacks(plaintext: Uint8Array, name: string): Generator<IndexedPack, void> {
  let scanned = 0;
  const packs = scanPacks(plaintext);
  for (let step = packs.next(); ; step = packs.next()) {
    if (step.done === true) {
      if (step.value === 'differs') yield* decodeIndexFile(plaintext, name).packs.slice(scanned);
      return;
    }
    scanned += 1;
    yield step.value;
  }
}

/** Go writes null for an empty list, and rustic leaves it out. */
function packsOf(value: unknown, what: string): readonly IndexedPack[] {
  return value === undefined || value === null ? [] : listOf(value, what).map((pack) => packOf(pack, what));
}

function packOf(value: unknown, what: string): IndexedPack {
  const fields = fieldsOf(value, what);
  const blobs = fields['blobs'] ?? [];
  return {
    id: parseFileId(textOf(fields['id'], `${what}: id`)),
    blobs: listOf(blobs, `${what}: blobs`).map((blob) => blobOf(blob, what)),
    other: fieldsExcept(fields, 'id', 'blobs'),
  };
}

function blobOf(value: unknown, what: string): PackedBlob {
  const fields = fieldsOf(value, what);
  const length = countOf(fields['length'], maxUint32, `${what}: length`);
  if (length < sealOverhead) throw new HoldfastError('damaged', `${what}: a blob is too short to be sealed`);
  const plainLength = countOf(fields['uncompressed_length'] ?? 0, maxUint32, `${what}: uncompressed_length`);
  return {
    id: parseBlobId(textOf(fields['id'], `${what}: id`)),
    type: blobType(fields['type'], what),
    offset: countOf(fields['offset'], maxUint32, `${what}: offset`),
    length,
    plainLength: plainLength === 0 ? length - sealOverhead : plainLength,
    compressed: plainLength !== 0,
  };
}

function blobType(value: unknown, what: string): BlobType {
  if (value === 'data' || value === 'tree') return value;
  throw new HoldfastError('damaged', `${what}: a blob is neither data nor tree`);
}

interface PackToWrite extends Omit<IndexedPack, 'blobs'> {
  readonly blobs: Iterable<PackedBlob>;
}

interface IndexFileToWrite extends Pick<IndexFile, 'other'> {
  readonly packs: readonly PackToWrite[];
  readonly packsToDelete: readonly PackToWrite[];
}

/** Only as many objects are alive at a time as one pack has blobs: an index of a backup names tens of thousands. */
export function encodeIndexFile(index: IndexFileToWrite): Uint8Array {
  const { packs, packsToDelete, other } = index;
  const deleting = packsToDelete.length > 0 ? [`"packs_to_delete":[${packsToDelete.map(packText).join()}]`] : [];
  const members = [...memberTexts(other), `"packs":[${packs.map(packText).join()}]`, ...deleting];
  return Buffer.from(`{${members.join()}}\n`);
}

/** A pack as it stands in an index file. */
function packText({ id, blobs, other }: PackToWrite): string {
  let texts = '';
  for (const blob of blobs) texts += `${texts && ','}${JSON.stringify(blobJson(blob))}`;
  return `{${[`"id":"${id}"`, `"blobs":[${texts}]`, ...memberTexts(other)].join()}}`;
}

function memberTexts(fields: Fields): readonly string[] {
  return Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
}

function blobJson(blob: PackedBlob): Fields {
  const { id, type, offset, length } = blob;
  return { id, type, offset, length, ...(blob.compressed && { uncompressed_length: blob.plainLength }) };
}

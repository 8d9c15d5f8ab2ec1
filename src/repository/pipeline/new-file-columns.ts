import { type BlobId, rawPathOfByteString } from '../../bytes/ids.ts';
import type { FileAttributes } from '../../host/attributes.ts';
import type { PackedBlob } from '../pack.ts';
import type { NewFile } from '../repository.ts';

/** New files as they go from thread to thread: a message of few large values takes a fraction of one of many small. */
export interface NewFileColumns {
  /** One after the other, with a NUL between, which no path holds. */
  readonly paths: string;
  /** 64 digits each. */
  readonly ids: string;
  /** Of each file: offset, length and plaintext length of its blob, flags, owner, group, permissions. */
  readonly figures: Float64Array;
  /** Of each file: atime, mtime. */
  readonly timesNs: readonly bigint[];
  /** Of the files that have some. */
  readonly xattrs: ReadonlyMap<number, FileAttributes['xattrs']>;
}

/** One new file as a worker gets it. */
export interface FileToMake extends Pick<NewFile, 'path' | 'attributes' | 'holes'> {
  /** Place in the request. */
  readonly number: number;
  readonly blob: PackedBlob;
}

const figuresPerFile = 7;
const compressedFlag = 1;
const skipZerosFlag = 2;
const idDigits = 64;
const noXattrs: FileAttributes['xattrs'] = [];

/** Each with its blob where it is looked for. */
export function toColumns(files: readonly { readonly origin: NewFile; readonly blob: PackedBlob }[]): NewFileColumns {
  const figures = new Float64Array(files.length * figuresPerFile);
  const timesNs: bigint[] = [];
  const xattrs = new Map<number, FileAttributes['xattrs']>();
  for (const [number, { origin, blob }] of files.entries()) {
    const { attributes, holes } = origin;
    const flags = (blob.compressed ? compressedFlag : 0) | (holes === 'skip-zeros' ? skipZerosFlag : 0);
    const at = number * figuresPerFile;
    figures[at] = blob.offset;
    figures[at + 1] = blob.length;
    figures[at + 2] = blob.plainLength;
    figures[at + 3] = flags;
    figures[at + 4] = attributes.uid;
    figures[at + 5] = attributes.gid;
    figures[at + 6] = attributes.permissions;
    timesNs.push(attributes.atimeNs, attributes.mtimeNs);
    if (attributes.xattrs.length > 0) xattrs.set(number, attributes.xattrs);
  }
  const paths = files.map(({ origin }) => origin.path).join('\0');
  return { paths, ids: files.map(({ blob }) => blob.id).join(''), figures, timesNs, xattrs };
}

export function* fromColumns({ paths, ids, figures, timesNs, xattrs }: NewFileColumns): Generator<FileToMake> {
  const names = paths.split('\0').map(rawPathOfByteString);
  for (const [number, path] of names.entries()) {
    const [offset = 0, length = 0, plainLength = 0, flags = 0, uid = 0, gid = 0, permissions = 0] = figures.subarray(
      number * figuresPerFile,
      (number + 1) * figuresPerFile,
    );
    // Branded: joined of IDs.
    const id = ids.slice(number * idDigits, (number + 1) * idDigits) as BlobId;
    const [atimeNs = 0n, mtimeNs = 0n] = [timesNs[number * 2], timesNs[number * 2 + 1]];
    yield {
      number,
      path,
      holes: (flags & skipZerosFlag) === 0 ? 'write-all' : 'skip-zeros',
      blob: { id, type: 'data', offset, length, plainLength, compressed: (flags & compressedFlag) !== 0 },
      attributes: { uid, gid, permissions, atimeNs, mtimeNs, xattrs: xattrs.get(number) ?? noXattrs },
    };
  }
}

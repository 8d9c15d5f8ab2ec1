import { rawPathOfByteString, type RawPath } from '../../bytes/ids.ts';
import type { StoredContent } from '../../repository/content.ts';
import type { Entry, Metadata } from '../../snapshot/entry.ts';
import type { Arrived, Spool } from './spool.ts';

/** What is in a spool as entries below a folder of the snapshot. */
export function* entriesOf(spool: Spool, folder: RawPath): Generator<Entry> {
  for (const { path, type, stored, ...facts } of spool.items()) {
    const place = rawPathOfByteString(`${folder}/${path}`);
    if (type === 'dir') yield folderEntry(place, facts);
    else if (stored !== undefined)
      yield { path: place, metadata: metadataOf('file', facts, stored.sizeBytes), content: { kind: 'stored', stored } };
  }
}

type Facts = Pick<Arrived, 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'identity'>;

export function folderEntry(path: RawPath, facts: Facts): Entry {
  return { path, metadata: metadataOf('dir', facts, 0), content: { kind: 'none' } };
}

/** A file that was stored already, for its owner alone. */
export function storedEntry(path: RawPath, stored: StoredContent, mtimeNs: bigint): Entry {
  const metadata = metadataOf('file', { mode: 0o600, uid: 0, gid: 0, mtimeNs }, stored.sizeBytes);
  return { path, metadata, content: { kind: 'stored', stored } };
}

/** A small file of our own, for its owner alone. */
export function fileEntry(path: RawPath, text: string, mtimeNs: bigint): Entry {
  const bytes = Buffer.from(text);
  const metadata = metadataOf('file', { mode: 0o600, uid: 0, gid: 0, mtimeNs }, bytes.length);
  return { path, metadata, content: { kind: 'bytes', bytes } };
}

/** Go's bit of a directory. */
const directory = 2 ** 31;

/** What a tar file says, and where it was read on its host what the file system knows. */
function metadataOf(type: 'file' | 'dir', { mode, uid, gid, mtimeNs, identity }: Facts, sizeBytes: number): Metadata {
  return {
    type,
    mode: (mode & 0o777) + (type === 'dir' ? directory : 0),
    mtimeNs,
    atimeNs: mtimeNs,
    ctimeNs: identity?.ctimeNs ?? mtimeNs,
    uid,
    gid,
    user: '',
    group: '',
    inode: identity?.inode ?? 0n,
    deviceId: identity?.deviceId ?? 0n,
    sizeBytes,
    links: 0n,
  };
}

import { rawPathOfByteString, type RawPath } from '../../bytes/ids.ts';
import { cleanPath, parentPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { currentUser } from '../../host/users.ts';
import type { Entry, Metadata } from '../../snapshot/entry.ts';

export interface OneFile {
  /** Where it goes in the snapshot, folders included; a leading '/' changes nothing. */
  readonly path: RawPath;
  /** The time of the snapshot: nothing else is known of a stream. */
  readonly timeNs: bigint;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** A stream as a file of mode 0644 in folders of mode 0755, all of the current user, as restic records it. */
export function* entriesOfOneFile({ path, timeNs, stream }: OneFile): Generator<Entry> {
  const place = rawPathOfByteString(cleanPath(rawPathOfByteString(`/${path}`)).slice(1));
  if (place === '') throw new HoldfastError('usage', 'a stream needs the name of a file');
  const content = { kind: 'stream', stream, cut: 'rabin' } as const;
  yield { path: place, metadata: plain('file', 0o644, timeNs), content };
  for (let folder = parentPath(place); folder !== '.'; folder = parentPath(folder)) {
    yield { path: folder, metadata: plain('dir', 2 ** 31 + 0o755, timeNs), content: { kind: 'none' } };
  }
}

function plain(type: 'file' | 'dir', mode: number, timeNs: bigint): Metadata {
  const { uid, gid } = currentUser();
  return {
    type,
    mode,
    mtimeNs: timeNs,
    atimeNs: timeNs,
    ctimeNs: timeNs,
    uid,
    gid,
    user: '',
    group: '',
    inode: 0n,
    deviceId: 0n,
    sizeBytes: 0,
    links: 0n,
  };
}

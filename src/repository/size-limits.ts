import type { SealedKind } from './repository.ts';

const miB = 1024 * 1024;
/** What a file may hold once decompressed: far more than any writer makes, far less than the memory. */
export const maxPlainBytes: Readonly<Record<SealedKind, number>> = {
  index: 128 * miB,
  snapshots: 128 * miB,
  locks: miB,
};

/** No stored file of a kind is larger; then it isn't even read. A key file has some 500 bytes. */
export const maxStoredBytes: Readonly<Record<SealedKind | 'keys', number>> = {
  index: maxPlainBytes.index + miB,
  snapshots: maxPlainBytes.snapshots + miB,
  locks: maxPlainBytes.locks + miB,
  keys: miB,
};

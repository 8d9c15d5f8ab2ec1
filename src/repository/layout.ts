import { parseFileId, type FileId } from '../bytes/ids.ts';
import type { FileKind } from './repository.ts';

/** The one file with a fixed name. */
export const configKey = 'config';

/** Where a file stands in the storage. */
export function keyOf(kind: FileKind, id: FileId): string {
  return kind === 'data' ? `data/${id.slice(0, 2)}/${id}` : `${kind}/${id}`;
}

/** The ID in a storage key; undefined for a name that no client of the format gives. */
export function idOf(key: string): FileId | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return /^[0-9a-f]{64}$/.test(name) ? parseFileId(name) : undefined;
}

/** For messages: the kind and the start of the name, as people quote it. */
export function shortName(kind: FileKind, id: FileId): string {
  return `${kind}/${id.slice(0, 8)}`;
}

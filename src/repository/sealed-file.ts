import type { FileId } from '../bytes/ids.ts';
import { fileIdFor } from '../crypto/id.ts';
import { open, seal } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { confirmStored } from './confirm.ts';
import { keyOf, shortName } from './layout.ts';
import { readNamed } from './named-file.ts';
import type { SealedKind } from './repository.ts';
import { assertChangeable, type Session } from './session.ts';
import { decodeUnpacked, encodeUnpacked } from './unpacked.ts';

type Sealing = Pick<Session, 'storage' | 'key' | 'config'>;

/** The plaintext of an index, snapshot or lock file. */
export async function readSealed({ storage, key, config }: Sealing, kind: SealedKind, id: FileId): Promise<Uint8Array> {
  return opened(key, config, kind, await readNamed(storage, kind, id), shortName(kind, id));
}

/**
 * Stores `json`; resolves when it is durable. What was sealed is opened again before it leaves, as restic does, and
 * asked for afterwards, for everything relies on it: a storage that lied about it is 'storage-failed'. One that compares
 * hashes itself isn't asked: that would be a request for each file.
 */
export async function writeSealed(
  { storage, key, config }: Sealing,
  kind: SealedKind,
  json: Uint8Array,
): Promise<FileId> {
  if (kind !== 'locks') assertChangeable(config);
  const stored = seal(key, encodeUnpacked(config.version, kind, json));
  const id = fileIdFor(stored);
  if (Buffer.compare(opened(key, config, kind, stored, shortName(kind, id)), json) !== 0) {
    throw new HoldfastError(
      'internal',
      `a new ${kind} file does not open to what was sealed: this machine computes wrongly`,
    );
  }
  await storage.put(keyOf(kind, id), [stored]);
  const isSure = kind === 'locks' || storage.capabilities.checksPuts === true;
  if (!isSure) await confirmStored(storage, { key: keyOf(kind, id), sizeBytes: stored.length });
  return id;
}

function opened(
  key: Session['key'],
  config: Session['config'],
  kind: SealedKind,
  stored: Uint8Array,
  name: string,
): Uint8Array {
  try {
    return decodeUnpacked(config.version, kind, open(key, stored), name);
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('damaged', `${name} can't be opened: ${cause.message}`, { cause });
  }
}

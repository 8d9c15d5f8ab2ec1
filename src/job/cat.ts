import { parseBlobId, parseFileId, type BlobId, type FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { fileIdFor } from '../crypto/id.ts';
import { keyOf } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { maxStoredBytes } from '../repository/size-limits.ts';
import { findSnapshot, type FindOptions } from '../snapshot/snapshots.ts';
import { inRepository, type JobContext } from './job.ts';
import { treeOf } from './named-tree.ts';
import { loadReadableIndex } from './readable-index.ts';

/** An object of the repository, as stored inside its seal. */
export type CatOutcome =
  | { readonly form: 'json'; readonly bytes: Uint8Array }
  | { readonly form: 'raw'; readonly bytes: Uint8Array };

export type CatWish =
  | { readonly kind: 'config' | 'masterkey' }
  | { readonly kind: 'index' | 'lock' | 'key' | 'pack' | 'blob'; readonly id: string }
  | { readonly kind: 'snapshot' | 'tree'; readonly name: string; readonly find: FindOptions };

export async function cat(context: JobContext, wish: CatWish): Promise<CatOutcome> {
  return await inRepository(context, 'read', async (repository) => {
    switch (wish.kind) {
      case 'config':
        return { form: 'json', bytes: Buffer.from(JSON.stringify(repository.config.raw)) };
      case 'masterkey':
        return { form: 'json', bytes: repository.keys.show() };
      case 'index':
        return { form: 'json', bytes: await repository.readFile('index', fileIdGiven(wish.id)) };
      case 'lock':
        return { form: 'json', bytes: await repository.readFile('locks', fileIdGiven(wish.id)) };
      case 'key':
        return {
          form: 'json',
          bytes: await repository.storage.get(keyOf('keys', fileIdGiven(wish.id)), { maxBytes: maxStoredBytes.keys }),
        };
      case 'snapshot': {
        const { snapshot } = await findSnapshot(repository, wish.name, wish.find);
        return { form: 'json', bytes: await repository.readFile('snapshots', snapshot.id) };
      }
      case 'pack':
        return { form: 'raw', bytes: await packBytes(repository, fileIdGiven(wish.id), context) };
      case 'blob':
        await loadReadableIndex(repository, context.listener);
        return { form: 'raw', bytes: await anyBlob(repository, blobIdGiven(wish.id)) };
      case 'tree': {
        const named = await findSnapshot(repository, wish.name, wish.find);
        await loadReadableIndex(repository, context.listener);
        return { form: 'raw', bytes: await repository.readBlob('tree', await treeOf(repository, named)) };
      }
    }
  });
}

/** A damaged pack is shown all the same, with a warning. */
async function packBytes({ storage }: Repository, id: FileId, { listener }: JobContext): Promise<Uint8Array> {
  const bytes = await storage.get(keyOf('data', id));
  const hash = fileIdFor(bytes);
  if (hash !== id)
    listener({ kind: 'warning', during: 'cat', item: `pack ${id}`, message: `its bytes have the hash ${hash}` });
  return bytes;
}

async function anyBlob(repository: Repository, id: BlobId): Promise<Uint8Array> {
  const type = repository.index.has('data', id) ? 'data' : 'tree';
  return await repository.readBlob(type, id);
}

function fileIdGiven(text: string): FileId {
  return given(text, parseFileId);
}

function blobIdGiven(text: string): BlobId {
  return given(text, parseBlobId);
}

function given<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    throw new HoldfastError('usage', `not an ID of 64 hex digits: ${JSON.stringify(text)}`, { cause });
  }
}

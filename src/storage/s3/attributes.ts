import type { PutOptions } from '../storage.ts';
import type { S3Options } from './options.ts';

/** What an upload says of how the object is to be kept. */
export interface Attributes {
  readonly StorageClass?: 'DEEP_ARCHIVE';
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
  readonly SSEKMSKeyId?: string;
}

/** Classes from which an object has to be brought back before it can be read. */
export const archiveClasses: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];

/** An archive class holds packs of data alone, so that an archived repository still opens. */
export function attributesOf(
  { storageClass, encryption }: Pick<S3Options, 'storageClass' | 'encryption'>,
  { rarelyRead }: PutOptions,
): Attributes {
  const fits = storageClass !== undefined && (rarelyRead === true || !archiveClasses.includes(storageClass));
  return {
    // The server knows which classes there are: Amazon's list in the SDK is only one.
    ...(fits && { StorageClass: storageClass as 'DEEP_ARCHIVE' }),
    ...(encryption && { ServerSideEncryption: encryption.by }),
    ...(encryption?.keyId !== undefined && { SSEKMSKeyId: encryption.keyId }),
  };
}

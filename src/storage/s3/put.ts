import { PutObjectCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import { told } from './answers.ts';
import { sentBody, sizeOf } from './body.ts';
import { putInParts, type LargeObject, type PartOptions } from './multipart.ts';

/** Whether a server has asked for the MD5 of what it is sent. It costs more than the rest, so others get none. */
export class Digests {
  areAsked = false;
}

export interface StoreOptions extends Omit<PartOptions, 'md5'> {
  readonly digests: Digests;
}

/**
 * Stores an object in one request, a large one in parts. The name of its version, where the bucket keeps versions.
 * Amazon asks for the MD5 of what is stored under a lock, also where the bucket locks everything by itself.
 */
export async function storeObject(
  client: S3Client,
  object: LargeObject,
  data: readonly Uint8Array[],
  { digests, ...options }: StoreOptions,
): Promise<string | undefined> {
  const store = async (md5: PartOptions['md5']): Promise<string | undefined> =>
    sizeOf(data) > options.partBytes
      ? await putInParts(client, object, data, { ...options, md5 })
      : await putWhole(client, object, data, { ...options, md5 });
  if (object.ObjectLockMode || digests.areAsked) return await store('sent');
  try {
    return await store('not sent');
  } catch (error) {
    if (!isAskingForDigest(error)) throw error;
    digests.areAsked = true;
    return await store('sent');
  }
}

async function putWhole(
  client: S3Client,
  object: LargeObject,
  data: readonly Uint8Array[],
  { wait, ...options }: PartOptions,
): Promise<string | undefined> {
  const put = { ...object, ...sentBody(data, options, wait.abortSignal), ContentType: 'application/octet-stream' };
  const { ETag, VersionId } = await client.send(new PutObjectCommand(put), wait);
  told(ETag, 'saying what it stored');
  return VersionId;
}

function isAskingForDigest(error: unknown): boolean {
  if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 400) return false;
  return /Content-MD5.* required/i.test(error.message);
}

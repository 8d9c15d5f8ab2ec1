import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { told } from './answers.ts';
import { md5Of, sentBody, sizeOf } from './body.ts';
import { putInParts, type LargeObject, type PartOptions } from './multipart.ts';

interface StoreOptions extends PartOptions {
  readonly signal: AbortSignal | undefined;
}

/** Stores an object in one request, a large one in parts. The name of its version, where the bucket keeps versions. */
export async function storeObject(
  client: S3Client,
  object: LargeObject,
  data: readonly Uint8Array[],
  options: StoreOptions,
): Promise<string | undefined> {
  const { partBytes, throttle, signal, wait } = options;
  if (sizeOf(data) > partBytes) return putInParts(client, object, data, options);
  const put = { ...object, ...sentBody(data, throttle, signal), ContentType: 'application/octet-stream' };
  const sum = object.ObjectLockMode && { ContentMD5: md5Of(data) };
  const { ETag, VersionId } = await client.send(new PutObjectCommand({ ...put, ...sum }), wait);
  told(ETag, 'saying what it stored');
  return VersionId;
}

import {
  GetObjectCommand,
  HeadObjectCommand,
  S3ServiceException,
  type HeadObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { SdkWait } from './client.ts';

/** What an object is. A refusal of HEAD has no words, so that of a GET is told: credentials may have expired. */
export async function headObject(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
  wait: SdkWait,
): Promise<HeadObjectCommandOutput> {
  try {
    return await client.send(new HeadObjectCommand(object), wait);
  } catch (error) {
    if (!isWordless(error)) throw error;
    const { Body: body } = await client.send(new GetObjectCommand({ ...object, Range: 'bytes=0-0' }), wait);
    if (body && 'destroy' in body) body.destroy();
    throw error;
  }
}

function isWordless(error: unknown): boolean {
  return error instanceof S3ServiceException && [400, 403].includes(error.$metadata.httpStatusCode ?? 0);
}

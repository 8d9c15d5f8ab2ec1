import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { told } from './answers.ts';
import type { Attributes } from './attributes.ts';
import { sentBody, sizeOf } from './body.ts';
import type { SdkWait } from './client.ts';
import type { Throttle } from '../throttle.ts';

export interface LargeObject extends Attributes {
  readonly Bucket: string;
  readonly Key: string;
  readonly IfNoneMatch?: '*';
  readonly ObjectLockMode?: 'COMPLIANCE' | 'GOVERNANCE';
  readonly ObjectLockRetainUntilDate?: Date;
}

export interface PartOptions {
  readonly partBytes: number;
  readonly wait: SdkWait;
  readonly throttle?: Throttle | undefined;
  readonly md5: 'sent' | 'not sent';
}

interface Upload extends Pick<LargeObject, 'Bucket' | 'Key'> {
  readonly UploadId: string;
}

/**
 * Stores an object in parts; nothing is to be seen of it before the last request. What a crash leaves are parts that
 * no list shows: `removeLeftovers` ends them.
 */
export async function putInParts(
  client: S3Client,
  object: LargeObject,
  data: readonly Uint8Array[],
  options: PartOptions,
): Promise<string | undefined> {
  const { IfNoneMatch, ...place } = object;
  const { wait } = options;
  const begun = await client.send(
    new CreateMultipartUploadCommand({ ...place, ContentType: 'application/octet-stream' }),
    wait,
  );
  const upload = { Bucket: object.Bucket, Key: object.Key, UploadId: told(begun.UploadId, 'the name of an upload') };
  try {
    const Parts = await sendParts(client, upload, data, options);
    const whole = { ...upload, MultipartUpload: { Parts }, ...(IfNoneMatch && { IfNoneMatch }) };
    const { ETag, VersionId } = await client.send(new CompleteMultipartUploadCommand(whole), wait);
    told(ETag, 'saying what it stored');
    return VersionId;
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined); // it stays, unseen
    throw error;
  }
}

async function sendParts(
  client: S3Client,
  upload: Upload,
  data: readonly Uint8Array[],
  { partBytes, wait, ...options }: PartOptions,
): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (const pieces of inParts(data, partBytes)) {
    const PartNumber = parts.length + 1;
    const command = new UploadPartCommand({ ...upload, PartNumber, ...sentBody(pieces, options, wait.abortSignal) });
    const { ETag } = await client.send(command, wait);
    parts.push({ PartNumber, ETag: told(ETag, 'saying what it stored') });
  }
  return parts;
}

/** The same bytes in groups of pieces, each of `partBytes` but the last. */
function* inParts(data: readonly Uint8Array[], partBytes: number): Generator<readonly Uint8Array[]> {
  let part: Uint8Array[] = [];
  let room = partBytes;
  for (const piece of data) {
    for (let at = 0; at < piece.byteLength;) {
      const taken = piece.subarray(at, at + room);
      part.push(taken);
      at += taken.byteLength;
      room -= taken.byteLength;
      if (room > 0) continue;
      yield part;
      part = [];
      room = partBytes;
    }
  }
  if (sizeOf(part) > 0) yield part;
}

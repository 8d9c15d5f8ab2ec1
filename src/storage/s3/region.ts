import { GetBucketLocationCommand, S3ServiceException, type S3Client } from '@aws-sdk/client-s3';
import type { S3Address } from './address.ts';
import type { SdkWait } from './client.ts';
import { s3Error } from './errors.ts';

const anyRegion = 'us-east-1';

/** The bucket's region by the host's name, else by what the server says; most others than Amazon take any. */
export async function regionOf(
  address: S3Address,
  connect: (region: string) => S3Client,
  wait: SdkWait,
): Promise<string> {
  const named = /(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\./.exec(address.host)?.[1];
  if (named !== undefined) return named;
  const client = connect(anyRegion);
  const { LocationConstraint: told } = await client
    .send(new GetBucketLocationCommand({ Bucket: address.bucket }), wait)
    .catch((error: unknown) => ({ LocationConstraint: regionIn(error, address) }));
  return told === undefined || told === '' ? anyRegion : told === 'EU' ? 'eu-west-1' : told;
}

/** A refusal may name the right region; whoever may not ask goes on with any. Who is to ask later has no answer yet. */
function regionIn(error: unknown, { endpoint, bucket }: S3Address): string | undefined {
  const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;
  const later = status === 429 || status >= 500;
  if (later || !(error instanceof S3ServiceException)) throw s3Error(error, `cannot reach s3:${endpoint}/${bucket}`);
  if ('Region' in error && typeof error.Region === 'string') return error.Region;
  return error.$response?.headers['x-amz-bucket-region'];
}

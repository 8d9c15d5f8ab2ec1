import {
  CreateBucketCommand,
  HeadBucketCommand,
  type BucketLocationConstraint,
  type CreateBucketCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { SdkWait } from './client.ts';
import { s3Error } from './errors.ts';

export async function hasBucket(client: S3Client, Bucket: string, wait: SdkWait): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket }), wait);
    return true;
  } catch (error) {
    const meaning = s3Error(error, 'cannot find the bucket');
    if (meaning.code === 'storage-not-found' || meaning.code === 'storage-missing') return false;
    // Who may not ask for it is told later whether it is there.
    if (meaning.code === 'storage-denied') return true;
    throw meaning;
  }
}

/** Objects can be locked only where the bucket was made for it. */
export async function makeBucket(
  client: S3Client,
  Bucket: string,
  options: { readonly region: string; readonly locks: 'none' | 'enabled'; readonly wait: SdkWait },
): Promise<void> {
  const { region, locks, wait } = options;
  const LocationConstraint = region as BucketLocationConstraint; // the SDK's list of regions is never complete
  const input: CreateBucketCommandInput = {
    Bucket,
    ...(locks === 'enabled' && { ObjectLockEnabledForBucket: true }),
    ...(region !== 'us-east-1' && { CreateBucketConfiguration: { LocationConstraint } }),
  };
  try {
    await client.send(new CreateBucketCommand(input), wait);
  } catch (error) {
    // Somebody else of ours was faster.
    if (!(error instanceof Error && error.name === 'BucketAlreadyOwnedByYou')) throw error;
  }
}

import { HoldfastError } from '../errors/error.ts';
import { parseS3Address } from './s3/address.ts';
import { neverLocked } from './versions.ts';

/** A policy as Amazon's IAM and servers like it take it; a bucket policy needs a Principal in each statement. */
export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

/** What whoever backs up, and whoever prunes, has to be allowed, and no more. */
export interface Policies {
  readonly writer: Policy;
  readonly pruner: Policy;
}

const ofBucket = [
  ...['s3:ListBucket', 's3:ListBucketVersions', 's3:ListBucketMultipartUploads', 's3:GetBucketLocation'],
  // So that `doctor storage` can tell how the bucket is set up.
  ...['s3:GetBucketVersioning', 's3:GetBucketObjectLockConfiguration', 's3:GetLifecycleConfiguration'],
];
const ofObjects = [
  ...['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:GetObjectRetention', 's3:PutObjectRetention'],
  's3:AbortMultipartUpload',
];

/**
 * Policies for the bucket of an address. A writer removes what is never locked and nothing else, so that a thief with
 * its credentials can hide nothing but by writing over it; a pruner removes objects and versions, which a lock refuses.
 * Nobody may pass a lock by.
 */
export function policiesFor(url: string): Policies {
  if (!url.startsWith('s3:')) throw new HoldfastError('unsupported', 'policies are for storages on S3 (s3:…)');
  const { host, bucket, prefix } = parseS3Address(url.slice('s3:'.length));
  const whole = `arn:${partitionOf(host)}:s3:::${bucket}`;
  const objects = (below: string): string => `${whole}/${literally(prefix)}${below}*`;
  const shared: readonly Statement[] = [
    allow('Look', ofBucket, [whole]),
    allow('ReadAndStore', ofObjects, [objects('')]),
  ];
  const passing = allow('RemoveWhatIsNeverLocked', ['s3:DeleteObject'], neverLocked.map(objects));
  const all = allow('Remove', ['s3:DeleteObject', 's3:DeleteObjectVersion'], [objects('')]);
  return { writer: policy([...shared, passing]), pruner: policy([...shared, all]) };
}

/** Amazon's regions in China and for the government of the United States have names of their own; others take any. */
function partitionOf(host: string): string {
  if (host.endsWith('.amazonaws.com.cn')) return 'aws-cn';
  return /\.us-gov-[a-z]+-\d\.amazonaws\.com$/.test(host) ? 'aws-us-gov' : 'aws';
}

/** Where a policy would take a character for any. */
function literally(prefix: string): string {
  return prefix.replaceAll(/[*?$]/g, '${$&}');
}

function policy(statements: readonly Statement[]): Policy {
  return { Version: '2012-10-17', Statement: statements };
}

function allow(Sid: string, Action: readonly string[], Resource: readonly string[]): Statement {
  return { Sid, Effect: 'Allow', Action, Resource };
}

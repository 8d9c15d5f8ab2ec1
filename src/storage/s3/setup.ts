import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  S3ServiceException,
  type GetBucketVersioningCommandOutput,
  type LifecycleRule as SdkRule,
  type ObjectLockConfiguration,
} from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import type { BucketLock, BucketSetup, LifecycleRule, Versioning } from '../setup.ts';
import type { S3Requests } from './requests.ts';

/** What the bucket's owner has set. */
export function s3Setup(requests: S3Requests): BucketSetup {
  const { prefix, bucket } = requests;
  return {
    prefix,
    versioning: (options = {}) =>
      requests.attempt('cannot ask whether versions are kept', options, async (client, wait) =>
        versioningIn(await known(client.send(new GetBucketVersioningCommand(bucket), wait))),
      ),
    objectLock: (options = {}) =>
      requests.attempt('cannot ask for Object Lock', options, async (client, wait) => {
        const asking = known(client.send(new GetObjectLockConfigurationCommand(bucket), wait));
        const answer = await unless('ObjectLockConfigurationNotFoundError', asking);
        return answer ? lockIn(answer.ObjectLockConfiguration) : { state: 'off' };
      }),
    lifecycle: (options = {}) =>
      requests.attempt('cannot ask for lifecycle rules', options, async (client, wait) => {
        const asking = known(client.send(new GetBucketLifecycleConfigurationCommand(bucket), wait));
        const answer = await unless('NoSuchLifecycleConfiguration', asking);
        return (answer?.Rules ?? []).map(ruleOf).filter((rule) => rule !== undefined);
      }),
  };
}

/** Some servers say that such a request isn't allowed, to anybody. */
async function known<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 405) throw error;
    throw new HoldfastError('unsupported', `the server can't tell: ${error.message}`, { cause: error });
  }
}

async function unless<T>(name: string, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === name) return undefined;
    throw error;
  }
}

function versioningIn({ Status }: Pick<GetBucketVersioningCommandOutput, 'Status'>): Versioning {
  return Status === 'Enabled' ? 'on' : Status === 'Suspended' ? 'suspended' : 'off';
}

const dayMs = 86_400_000;

function lockIn({ ObjectLockEnabled, Rule }: ObjectLockConfiguration = {}): BucketLock {
  if (ObjectLockEnabled !== 'Enabled') return { state: 'off' };
  const { Mode, Days = 0, Years = 0 } = Rule?.DefaultRetention ?? {};
  const ms = (Days + 365 * Years) * dayMs;
  if (Mode === undefined || ms === 0) return { state: 'on' };
  return { state: 'on', byDefault: { ms, mode: Mode === 'COMPLIANCE' ? 'compliance' : 'governance' } };
}

/** Undefined where it is switched off. */
function ruleOf(rule: SdkRule, index: number): LifecycleRule | undefined {
  if (rule.Status !== 'Enabled') return undefined;
  const { Filter = {}, Expiration = {} } = rule;
  const all = { ...Filter, ...Filter.And };
  const tagged = Filter.Tag !== undefined || (Filter.And?.Tags ?? []).length > 0;
  const sized = all.ObjectSizeGreaterThan !== undefined || all.ObjectSizeLessThan !== undefined;
  const expires = expiryOf(Expiration);
  const noncurrentDays = rule.NoncurrentVersionExpiration?.NoncurrentDays;
  return {
    name: rule.ID || String(index + 1),
    prefix: all.Prefix ?? rule.Prefix ?? '',
    ...(tagged ? ({ only: 'with tags' } as const) : sized ? ({ only: 'of some sizes' } as const) : {}),
    ...(expires !== undefined && { expires }),
    ...(noncurrentDays !== undefined && { noncurrentDays }),
    removesMarkers: Expiration.ExpiredObjectDeleteMarker === true,
    endsUploads: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation !== undefined,
    movesInto: (rule.Transitions ?? []).map(({ StorageClass = '' }) => StorageClass),
  };
}

function expiryOf({ Days, Date: day }: NonNullable<SdkRule['Expiration']>): string | undefined {
  if (Days !== undefined) return `after ${Days} days`;
  return day && `on ${day.toISOString().slice(0, 10)}`;
}

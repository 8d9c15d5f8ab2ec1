import { RestoreObjectCommand, S3ServiceException, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { nsOfHttpDate } from '../../clock/date.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Archive, ArchivedObject, ThawState, ThawTier, ThawWishes, UsualTime } from '../archive.ts';
import type { ObjectInfo, WaitOptions } from '../storage.ts';
import { told } from './answers.ts';
import { archiveClasses } from './attributes.ts';
import { headObject } from './head.ts';
import type { S3Requests } from './requests.ts';

/** What an archive needs of its driver. */
export interface ArchiveHost {
  readonly wishes: ThawWishes;
  readonly requests: S3Requests;
  /** One request for each page of objects. */
  readonly list: (prefix: string, options?: WaitOptions) => AsyncIterable<ListedClass>;
}

export interface ListedClass extends ObjectInfo {
  readonly storageClass: string | undefined;
}

/** A page that S3 lists has so many objects at most. */
const firstPage = 1000;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * What Amazon says in "Understanding archive retrieval options" of its S3 User Guide. Expedited doesn't hold for
 * objects above 250 MB, which a pack never is.
 */
const usualTimes: Readonly<Record<string, Readonly<Partial<Record<ThawTier, UsualTime>>>>> = {
  GLACIER: {
    Expedited: { leastMs: minuteMs, mostMs: 5 * minuteMs },
    Standard: { leastMs: 3 * hourMs, mostMs: 5 * hourMs },
    Bulk: { leastMs: 5 * hourMs, mostMs: 12 * hourMs },
  },
  DEEP_ARCHIVE: {
    Standard: { leastMs: 0, mostMs: 12 * hourMs },
    Bulk: { leastMs: 0, mostMs: 48 * hourMs },
  },
};

/** GLACIER and DEEP_ARCHIVE. Of INTELLIGENT_TIERING a list doesn't tell what lies in an archive. */
export function s3Archive(host: ArchiveHost): Archive {
  const { requests, wishes } = host;
  return {
    wishes,
    probe: (prefix, options) => probe(host, prefix, options),
    list: (prefix, options) => archivedKeys(host, prefix, options),
    stateOf: async (key, options = {}) =>
      requests.attempt(`cannot find ${key}`, options, async (client, wait) =>
        archivedObject(key, await headObject(client, requests.object(key), wait)),
      ),
    thaw: async (key, options = {}) =>
      requests.attempt(`cannot thaw ${key}`, options, async (client, wait) => {
        const { days: Days, tier: Tier } = wishes;
        const RestoreRequest = { Days, GlacierJobParameters: { Tier } };
        await asked(client.send(new RestoreObjectCommand({ ...requests.object(key), RestoreRequest }), wait));
      }),
    usualTime: (storageClass, tier) => usualTimes[storageClass]?.[tier],
  };
}

async function probe(host: ArchiveHost, prefix: string, options?: WaitOptions): Promise<'some' | 'none seen'> {
  let seen = 0;
  for await (const { storageClass } of host.list(prefix, options)) {
    if (isArchive(storageClass)) return 'some';
    seen += 1;
    if (seen >= firstPage) break;
  }
  return 'none seen';
}

async function* archivedKeys(host: ArchiveHost, prefix: string, options?: WaitOptions): AsyncGenerator<string> {
  for await (const { key, storageClass } of host.list(prefix, options)) if (isArchive(storageClass)) yield key;
}

function isArchive(storageClass: string | undefined): storageClass is string {
  return storageClass !== undefined && archiveClasses.includes(storageClass);
}

function archivedObject(
  key: string,
  { StorageClass, ContentLength, Restore }: HeadObjectCommandOutput,
): ArchivedObject | undefined {
  if (!isArchive(StorageClass)) return undefined;
  const sizeBytes = told(ContentLength, `the size of ${key}`);
  return { key, sizeBytes, storageClass: StorageClass, state: thawState(Restore) };
}

/** Of the header x-amz-restore: `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`. */
export function thawState(header: string | undefined): ThawState {
  const ongoing = /ongoing-request="(true|false)"/.exec(header ?? '')?.[1];
  if (ongoing === undefined) return { kind: 'archived' };
  if (ongoing === 'true') return { kind: 'thawing' };
  const until = /expiry-date="([^"]+)"/.exec(header ?? '')?.[1] ?? '';
  return { kind: 'thawed', untilNs: nsOfHttpDate(until) };
}

/** Somebody asked before, or the object has left the archive meanwhile: both are what was wanted. */
async function asked(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    if (error.name === 'RestoreAlreadyInProgress' || error.name === 'InvalidObjectState') return;
    throw tierMissing(error) ?? error;
  }
}

function tierMissing(cause: S3ServiceException): HoldfastError | undefined {
  if (!/retrieval option|tier/i.test(cause.message) || cause.$metadata.httpStatusCode !== 400) return undefined;
  return new HoldfastError('usage', `the class of the object has no such tier: ${cause.message}`, { cause });
}

import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  S3ServiceException,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { dateOfNs } from '../../clock/date.ts';
import { isSegment } from '../keys.ts';
import type { PutOptions } from '../storage.ts';
import type { Throttle } from '../throttle.ts';
import {
  unversioned,
  type LockMode,
  type ObjectLock,
  type VersionInfo,
  type VersionListOptions,
  type Versions,
} from '../versions.ts';
import { infoOf, keyBelow, nextOf, nsOf } from './answers.ts';
import { rangeOf, receivedBody } from './body.ts';
import type { SdkWait } from './client.ts';
import type { S3Requests } from './requests.ts';
import { versionTime } from './version-time.ts';

/** What the versions of a bucket need of its driver. */
export interface VersionsHost extends Pick<Versions, 'retention' | 'written' | 'hidden'> {
  readonly requests: S3Requests;
  readonly download: Throttle | undefined;
  readonly store: (key: string, data: readonly Uint8Array[], lock: ObjectLock, options: PutOptions) => Promise<string>;
}

export function s3Versions(host: VersionsHost): Versions {
  const { requests } = host;
  const at = (key: string, version: string): { Bucket: string; Key: string; VersionId: string } => ({
    ...requests.object(key),
    VersionId: version,
  });
  return {
    retention: host.retention,
    written: host.written,
    hidden: host.hidden,
    list: (prefix, options) => listed(host, prefix, options),
    get: async (key, version, options = {}) =>
      requests.attempt(`cannot read version ${version} of ${key}`, options, async (client, wait) => {
        const answer = await client.send(new GetObjectCommand({ ...at(key, version), ...rangeOf(options) }), wait);
        return await receivedBody(answer, key, options, host.download);
      }),
    lockOf: async (key, version, options = {}) =>
      requests.attempt(`cannot ask for the lock of ${key}`, options, (client, wait) =>
        lockOf(client, at(key, version), wait),
      ),
    lock: async (key, version, lock, options = {}) => {
      await requests.attempt(`cannot lock ${key}`, options, async (client, wait) => {
        const Retention = { Mode: modeName(lock.mode), RetainUntilDate: dateOf(lock.untilNs) } as const;
        await client.send(new PutObjectRetentionCommand({ ...at(key, version), Retention }), wait);
      });
    },
    remove: async (key, version, options = {}) => {
      await requests.attempt(
        `cannot remove a version of ${key}`,
        { ...options, as: 'remover' },
        async (client, wait) => {
          await client.send(new DeleteObjectCommand(at(key, version)), wait);
        },
      );
    },
    put: (key, data, lock, options = {}) => host.store(key, data, lock, options),
  };
}

async function lockOf(
  client: S3Client,
  version: { readonly Bucket: string; readonly Key: string; readonly VersionId: string },
  wait: SdkWait,
): Promise<ObjectLock | undefined> {
  try {
    const { Retention } = await client.send(new GetObjectRetentionCommand(version), wait);
    const { Mode, RetainUntilDate } = Retention ?? {};
    if (Mode === undefined || RetainUntilDate === undefined) return undefined;
    return { mode: Mode === 'COMPLIANCE' ? 'compliance' : 'governance', untilNs: nsOf(RetainUntilDate) };
  } catch (error) {
    if (error instanceof S3ServiceException && hasNoLock(error)) return undefined;
    throw error;
  }
}

/** The version, or the whole bucket, is without a lock. */
function hasNoLock({ name, message }: S3ServiceException): boolean {
  if (name === 'NoSuchObjectLockConfiguration' || name === 'ObjectLockConfigurationNotFoundError') return true;
  return name === 'InvalidRequest' && /missing/i.test(message);
}

async function* listed(
  { requests }: VersionsHost,
  prefix: string,
  { after, ...options }: VersionListOptions = {},
): AsyncGenerator<VersionInfo> {
  const root = requests.prefix;
  let held: readonly VersionInfo[] = [];
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } =
    after === undefined ? {} : { KeyMarker: root + after };
  for (;;) {
    const input = { ...requests.bucket, Prefix: root + prefix, ...markers };
    const page = await requests.attempt(`cannot list versions of ${prefix || 'all'}`, options, (client, wait) =>
      client.send(new ListObjectVersionsCommand(input), wait),
    );
    const groups = byKey([...held, ...versionsIn(page, root, prefix)]);
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    const next = KeyMarker && `${KeyMarker} ${VersionIdMarker}`;
    const more = nextOf(page, next, `${markers.KeyMarker} ${markers.VersionIdMarker}`) !== undefined;
    // The last object's versions may go on on the next page.
    held = more ? (groups.pop() ?? []) : [];
    // versitygw begins with the object behind which it should.
    for (const group of groups) if (group[0]?.key !== after) yield* group;
    if (!more) return;
    markers = { KeyMarker, VersionIdMarker };
  }
}

function versionsIn(page: ListObjectVersionsCommandOutput, root: string, prefix: string): readonly VersionInfo[] {
  const all = [
    ...(page.Versions ?? []).map((one) => ({ ...one, deleted: false })),
    ...(page.DeleteMarkers ?? []).map((one) => ({ ...one, Size: 0, deleted: true })),
  ];
  return all
    .map(({ Key, VersionId = unversioned, Size, LastModified, IsLatest = false, deleted, ...rest }) => ({
      ...infoOf(prefix + keyBelow(root + prefix, Key), Size, undefined),
      version: VersionId,
      modifiedNs: versionTime(VersionId, LastModified),
      latest: IsLatest,
      deleted,
      ...('ETag' in rest && rest.ETag !== undefined && { sum: rest.ETag }),
    }))
    .filter(({ key }) => key.split('/').every(isSegment));
}

/** Versions and markers come apart, and some servers repeat the last row of a page. In order, newest first. */
function byKey(versions: readonly VersionInfo[]): (readonly VersionInfo[])[] {
  const groups = new Map<string, Map<string, VersionInfo>>();
  for (const version of versions) {
    const group = groups.get(version.key) ?? new Map<string, VersionInfo>();
    group.set(version.version, version);
    groups.set(version.key, group);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => [...group.values()].toSorted(newestFirst));
}

function newestFirst(a: VersionInfo, b: VersionInfo): number {
  if (a.latest !== b.latest) return a.latest ? -1 : 1;
  return a.modifiedNs === b.modifiedNs ? 0 : a.modifiedNs > b.modifiedNs ? -1 : 1;
}

/** What a put under a lock says. */
export function lockHeaders({ mode, untilNs }: ObjectLock): {
  readonly ObjectLockMode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly ObjectLockRetainUntilDate: Date;
} {
  return { ObjectLockMode: modeName(mode), ObjectLockRetainUntilDate: dateOf(untilNs) };
}

function modeName(mode: LockMode): 'COMPLIANCE' | 'GOVERNANCE' {
  return mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE';
}

/** Whole seconds: servers keep no more. */
function dateOf(ns: bigint): Date {
  return dateOfNs((ns / 1_000_000_000n) * 1_000_000_000n);
}

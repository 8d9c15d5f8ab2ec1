import { HoldfastError } from '../../errors/error.ts';
import type { StorageSettings } from '../settings.ts';
import type { ThawWishes } from '../archive.ts';
import type { Retention } from '../versions.ts';
import { thawWishes } from './thaw-options.ts';

/** What `-o s3.…` says. */
export interface S3Options {
  readonly region: string | undefined;
  /** How a bucket is addressed: as a path, or as a part of the host's name; by default as the host has it. */
  readonly bucketLookup: 'auto' | 'dns' | 'path';
  readonly connections: number;
  readonly listObjectsV1: boolean;
  readonly storageClass: string | undefined;
  /** By the server; with a key of its key management. */
  readonly encryption: Encryption | undefined;
  /** What is stored can't be removed for so long. */
  readonly lock: Retention | undefined;
  /** What is to be done about packs in an archive. */
  readonly thaw: ThawWishes;
  /** Where `anonymous` is false: the profile whose credentials remove what a writer may not. */
  readonly deleteProfile: string | undefined;
  /** Requests are not signed. */
  readonly anonymous: boolean;
}

export interface Encryption {
  readonly by: 'AES256' | 'aws:kms';
  readonly keyId: string | undefined;
}

const defaultConnections = 10;

/** Accepted without an effect: every storage is retried alike, and there is one layout. */
const idle = ['retries', 'layout'];

const names = [
  ...['region', 'bucket-lookup', 'connections', 'list-objects-v1', 'unsafe-anonymous-auth'],
  ...['lock', 'lock-mode', 'delete-profile', 'storage-class', 'sse', 'sse-kms-key-id'],
  ...['enable-restore', 'restore-days', 'restore-tier', 'restore-timeout', 'thaw-price'],
];

export function s3Options({ options = new Map(), environment = {} }: StorageSettings): S3Options {
  for (const name of options.keys()) if (name.startsWith('s3.')) checkName(name.slice('s3.'.length));
  const value = (name: string): string | undefined => options.get(`s3.${name}`) || undefined;
  const flag = (name: string): boolean => flagOf(name, value(name) ?? 'false');
  return {
    region: value('region') ?? (environment['AWS_DEFAULT_REGION'] || environment['AWS_REGION'] || undefined),
    bucketLookup: lookupOf((value('bucket-lookup') ?? 'auto').toLowerCase()),
    connections: connectionsOf(value('connections') ?? String(defaultConnections)),
    listObjectsV1: flag('list-objects-v1'),
    anonymous: flag('unsafe-anonymous-auth'),
    storageClass: value('storage-class'),
    encryption: encryptionOf(value('sse'), value('sse-kms-key-id')),
    lock: retentionOf(value('lock'), value('lock-mode')),
    thaw: thawWishes(value, flag('enable-restore') ? 'given' : 'refused'),
    deleteProfile: value('delete-profile') ?? (environment['HOLDFAST_DELETE_PROFILE'] || undefined),
  };
}

function checkName(name: string): void {
  if (names.includes(name) || idle.includes(name)) return;
  throw new HoldfastError('usage', `unknown option s3.${name}; there are ${[...names, ...idle].join(', ')}`);
}

function flagOf(name: string, text: string): boolean {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false)$/i.test(text)) return false;
  throw new HoldfastError('usage', `s3.${name} is true or false, not ${JSON.stringify(text)}`);
}

function lookupOf(text: string): S3Options['bucketLookup'] {
  if (text === 'auto' || text === 'dns' || text === 'path') return text;
  throw new HoldfastError('usage', `s3.bucket-lookup is auto, dns or path, not ${JSON.stringify(text)}`);
}

const hourMs = 3_600_000;
const units: Readonly<Record<string, number>> = { h: hourMs, d: 24 * hourMs, y: 365 * 24 * hourMs };

function retentionOf(text: string | undefined, mode: string | undefined): Retention | undefined {
  if (mode !== undefined && mode !== 'compliance' && mode !== 'governance')
    throw new HoldfastError('usage', `s3.lock-mode is compliance or governance, not ${JSON.stringify(mode)}`);
  if (text === undefined) {
    if (mode === undefined) return undefined;
    throw new HoldfastError('usage', 's3.lock-mode needs s3.lock, such as s3.lock=30d');
  }
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([hdy])$/.exec(text) ?? [];
  const ms = Number(count) * (units[unit] ?? 0);
  if (ms > 0) return { ms, mode: mode ?? 'compliance' };
  throw new HoldfastError('usage', `s3.lock is a time such as 30d, 12h or 1y, not ${JSON.stringify(text)}`);
}

function encryptionOf(by: string | undefined, keyId: string | undefined): Encryption | undefined {
  if (keyId !== undefined && by !== 'aws:kms')
    throw new HoldfastError('usage', 's3.sse-kms-key-id needs s3.sse=aws:kms');
  if (by === undefined || by === 'AES256' || by === 'aws:kms') return by && { by, keyId };
  throw new HoldfastError('usage', `s3.sse is AES256 or aws:kms, not ${JSON.stringify(by)}`);
}

function connectionsOf(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count > 0) return count;
  throw new HoldfastError('usage', `s3.connections is a number from 1 to 9999, not ${JSON.stringify(text)}`);
}

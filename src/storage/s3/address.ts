import { HoldfastError } from '../../errors/error.ts';

/** Where a repository is on S3. */
export interface S3Address {
  /** With its scheme, without a path: `https://s3.example.com:9000`. */
  readonly endpoint: string;
  readonly host: string;
  readonly bucket: string;
  /** '' or ending with '/': what comes before every key. */
  readonly prefix: string;
}

/**
 * Reads restic's forms, after `s3:`: `https://host/bucket/prefix`, `host/bucket/prefix`, `//host/bucket/prefix`; without
 * `http:` the server is spoken to over TLS. With `https:` or `http:` it is a URL: %20 is a blank, and elsewhere itself. A
 * name or password before the host is dropped: it is never shown.
 */
export function parseS3Address(rest: string): S3Address {
  const plain = /^http:\/\//i.test(rest);
  const [, place] = /^(?:https?:)?(?:\/\/)?(.*)$/is.exec(rest) ?? [];
  const [, authority = '', path = ''] = /^([^/]*)\/?(.*)$/s.exec(place ?? '') ?? [];
  const [bucket = '', ...folders] = (/^https?:/i.test(rest) ? decoded(path) : path).split('/');
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host === '' || bucket === '') {
    throw new HoldfastError(
      'usage',
      `an address on S3 reads s3:https://HOST/BUCKET/PREFIX; ${shown(rest)} has no bucket`,
    );
  }
  const segments = folders.filter((folder) => folder !== '' && folder !== '.');
  if (segments.includes('..')) throw new HoldfastError('usage', `the prefix of ${shown(rest)} leads upwards with ..`);
  const endpoint = `${plain ? 'http' : 'https'}://${host}`;
  if (!URL.canParse(endpoint)) throw new HoldfastError('usage', 'the address names no host of an S3 server');
  return { endpoint, host, bucket, prefix: segments.map((segment) => `${segment}/`).join('') };
}

/** For people, in the form that opens it again. */
export function showS3Address({ endpoint, bucket, prefix }: S3Address): string {
  const path = `${bucket}/${prefix}`.replaceAll(/[%?#\s]/g, encodeURIComponent);
  return `s3:${endpoint}/${path}`.replace(/\/$/, '');
}

function decoded(path: string): string {
  if (/[?#]/.test(path)) throw new HoldfastError('usage', 'in the address of a bucket ? is written %3F, and # %23');
  try {
    return decodeURIComponent(path);
  } catch {
    throw new HoldfastError('usage', 'the address of the bucket has a % that begins no escape; write it as %25');
  }
}

function shown(rest: string): string {
  const place = rest.replace(/^(https?:)?(\/\/)?/i, '').replace(/^[^/@]*@/, '');
  // What follows a colon there, and is no port, may be a password whose slash or missing @ makes it look like a host.
  return /^[^/]*:\d*[^/\d]/.test(place) ? 'this one' : JSON.stringify(`s3:${rest.replace(/[^/@]*@/, '')}`);
}

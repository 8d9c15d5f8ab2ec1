import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import { assertWithin, mostObjectBytes } from '../size-limit.ts';
import type { GetOptions } from '../storage.ts';
import { incoming, outgoing, type Throttle } from '../throttle.ts';
import { assertEnds } from './answers.ts';
import { signedBy } from './headers.ts';

/** Less is copied together: a stream costs more. */
const streamedBytes = 256 * 1024;

/** What is sent, signed by its hash. */
export interface SentBody {
  readonly Body: Uint8Array | Readable;
  readonly ContentLength: number;
  readonly ContentMD5?: string;
}

export interface SentOptions {
  /** Lets the bytes go. */
  readonly throttle?: Throttle | undefined;
  readonly md5: 'sent' | 'not sent';
}

/** A signal ends the wait for the throttle. */
export function sentBody(data: readonly Uint8Array[], { throttle, md5 }: SentOptions, signal?: AbortSignal): SentBody {
  const sizeBytes = sizeOf(data);
  const whole = sizeBytes < streamedBytes && throttle === undefined;
  const pieces = outgoing(data, throttle, signal);
  const body = whole ? Buffer.concat(data) : Readable.from(pieces, { objectMode: false });
  return {
    Body: signedBy(body, digestOf('sha256', data, 'hex')),
    ContentLength: sizeBytes,
    ...(md5 === 'sent' && { ContentMD5: digestOf('md5', data, 'base64') }),
  };
}

export function sizeOf(data: readonly Uint8Array[]): number {
  return data.reduce((sum, piece) => sum + piece.byteLength, 0);
}

/** The answer's bytes, all of them; 'damaged' where the object is larger or smaller than was asked. */
export async function receivedBody(
  answer: GetObjectCommandOutput,
  key: string,
  options: GetOptions,
  throttle?: Throttle,
): Promise<Buffer> {
  const { Body: body, ContentLength: length } = answer;
  if (!(body instanceof Readable)) throw new HoldfastError('internal', `${key} came without a body`);
  try {
    assertEnds(body, key);
    if (length !== undefined) assertWithin(length, { maxBytes: mostObjectBytes, ...options }, key);
    const most = options.range?.length ?? options.maxBytes ?? mostObjectBytes;
    const bytes = await collect(incoming(body, throttle, options.signal), length ?? 0, most, key);
    if (length !== undefined && bytes.length !== length)
      throw new HoldfastError('storage-failed', `${key} broke off after ${bytes.length} of ${length} bytes`);
    if (options.range === undefined || bytes.length === options.range.length) return bytes;
    throw beyond(key, options.range);
  } finally {
    body.destroy();
  }
}

export function rangeOf({ range }: GetOptions): { readonly Range?: string } {
  return range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
}

function digestOf(algorithm: 'sha256' | 'md5', data: readonly Uint8Array[], form: 'hex' | 'base64'): string {
  const hash = createHash(algorithm);
  for (const piece of data) hash.update(piece);
  return hash.digest(form);
}

/** The object ends before the range does. */
export function beyond(key: string, { offset, length }: NonNullable<GetOptions['range']>): HoldfastError {
  return new HoldfastError('damaged', `cannot read ${key}: it ends before byte ${offset + length}`);
}

async function collect(body: AsyncIterable<Uint8Array>, expected: number, most: number, key: string): Promise<Buffer> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(expected, most));
  let at = 0;
  for await (const chunk of body) {
    if (at + chunk.length > most)
      throw new HoldfastError('damaged', `cannot read ${key}: more came than its ${most} bytes`);
    if (at + chunk.length > bytes.length) bytes = Buffer.concat([bytes], Math.max(2 * bytes.length, at + chunk.length));
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes.subarray(0, at);
}

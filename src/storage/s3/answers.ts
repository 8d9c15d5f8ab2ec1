import { pipeline, Readable, Transform } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import { http } from '../http/node-http.ts';
import type { ObjectInfo } from '../storage.ts';

/**
 * What an answer must hold to be believed. Not only S3 servers answer with 200: a login page on the way, or a server
 * behind a proxy that is under maintenance, does too, and reads like an empty list or an object that was stored.
 */

/** A thousand rows, each with a key and an owner, take less than half of it. */
const mostBytes = 8 * 1024 * 1024;

/** Answers but objects are refused beyond what any of them has, before they take memory. */
export function boundAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args);
        const { response } = result;
        if (isAnswer(response) && (commandName !== 'GetObjectCommand' || response.statusCode >= 300))
          response.body = bounded(response.body);
        return result;
      },
    { step: 'deserialize', priority: 'low', name: 'holdfastBounds' },
  );
}

interface Answer {
  readonly statusCode: number;
  body: Readable;
}

function isAnswer(response: unknown): response is Answer {
  if (typeof response !== 'object' || response === null) return false;
  return 'statusCode' in response && 'body' in response && response.body instanceof Readable;
}

function bounded(body: Readable): Readable {
  let receivedBytes = 0;
  const gate = new Transform({
    transform: (chunk: Uint8Array, _, done) => {
      receivedBytes += chunk.length;
      if (receivedBytes <= mostBytes) done(null, chunk);
      else done(new Error(`the answer is longer than ${mostBytes} bytes`));
    },
  });
  return pipeline(body, gate, () => undefined); // whoever reads is told
}

/** What every server says of what it did. */
export function told<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new HoldfastError('storage-failed', `the server answers without ${what}; is it one of S3?`);
}

/** Where a list goes on; undefined at its end. `here` is where this page began. */
export function nextOf(
  page: { readonly IsTruncated?: boolean | undefined },
  next: string | undefined,
  here: string | undefined,
): string | undefined {
  if (!told(page.IsTruncated, 'saying whether its list is complete')) return undefined;
  if (next && next !== here) return next;
  throw new HoldfastError('storage-failed', 'the server’s list is not complete, and it does not say where it goes on');
}

/** The rest of a key below `root`, which a server must not leave. */
export function keyBelow(root: string, key: string | undefined): string {
  const full = told(key, 'the name of an object');
  if (full.startsWith(root)) return full.slice(root.length);
  throw new HoldfastError('storage-failed', 'the server lists what lies outside of what it was asked for');
}

export function infoOf(key: string, size: number | undefined, modified: Date | undefined): ObjectInfo {
  const sizeBytes = told(size, `the size of ${key}`);
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new HoldfastError('storage-failed', `the server says that ${key} has ${sizeBytes} bytes`);
  return { key, sizeBytes, ...(modified && { modifiedNs: nsOf(modified) }) };
}

export function nsOf(date: Date): bigint {
  return BigInt(date.getTime()) * 1_000_000n;
}

/** A body that ends with the connection doesn't differ from one that was cut off. */
export function assertEnds(body: Readable, key: string): void {
  if (!(body instanceof http.IncomingMessage)) return;
  const { 'content-length': length, 'transfer-encoding': encoding } = body.headers;
  if (length === undefined && encoding === undefined)
    throw new HoldfastError('storage-failed', `the server doesn’t tell where ${key} ends`);
}

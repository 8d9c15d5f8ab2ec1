import type { Readable } from 'node:stream';
import { HoldfastError } from '../../errors/error.ts';
import { incoming, type Throttle } from '../throttle.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** With its query, escaped, as it goes over the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
}

/** Disposed of before its body was read to the end, the connection is given up. */
export interface HttpResponse extends Disposable {
  readonly status: number;
  /** The body ends with the connection, so that a cut looks like its end. */
  readonly endsUntold: boolean;
  /** By its name in lower case. */
  header(name: string): string | undefined;
  readonly body: Readable;
}

/** Resolves when the answer's head is there. A signal's abort ends the body, too. */
export type Exchange = (request: HttpRequest) => Promise<HttpResponse>;

export function sizeOf(data: readonly Uint8Array[]): number {
  return data.reduce((sum, piece) => sum + piece.byteLength, 0);
}

export interface BodyOptions {
  /** More is refused before it takes memory. */
  readonly mostBytes: number;
  /** At the beginning, not kept. */
  readonly skipBytes?: number;
  /** 'cut': what comes after `mostBytes` isn't wanted. */
  readonly more: 'refused' | 'cut';
  readonly throttle?: Throttle | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The body's bytes. 'damaged' when it holds more than is allowed. */
export async function readBody(response: HttpResponse, options: BodyOptions): Promise<Buffer> {
  const { mostBytes, skipBytes = 0, more, throttle, signal } = options;
  const kept: Uint8Array[] = [];
  let at = 0;
  for await (const chunk of incoming(response.body, throttle, signal)) {
    const wanted = chunk.subarray(Math.max(0, skipBytes - at), Math.max(0, skipBytes + mostBytes - at));
    at += chunk.length;
    if (wanted.length > 0) kept.push(wanted);
    if (at <= skipBytes + mostBytes) continue;
    if (more === 'cut') break;
    throw new HoldfastError('damaged', `it is larger than ${mostBytes} bytes`);
  }
  if (more === 'refused' || at <= skipBytes + mostBytes) assertWhole(response, at);
  return Buffer.concat(kept);
}

/** HTTP/2 doesn't tell a body that was cut off from one that ended; HTTP/1 does, but for what ends with the connection. */
function assertWhole(response: HttpResponse, receivedBytes: number): void {
  if (response.endsUntold) throw new Error('the server doesn’t tell where its answer ends');
  const told = response.header('content-length');
  if (told === undefined || Number(told) === receivedBytes) return;
  throw new Error(`the answer ended after ${receivedBytes} of ${told} bytes`);
}

/** Reads a short body to its end, so that the connection serves again; a long one isn't worth it. */
export async function drain(response: HttpResponse): Promise<void> {
  await readBody(response, { mostBytes: 64 * 1024, more: 'cut' }).catch(() => undefined); // its head said enough
}

import { once } from 'node:events';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { outgoing, type Throttle } from '../throttle.ts';
import { sizeOf, type HttpRequest, type HttpResponse } from './exchange.ts';

/** A request over HTTP/2, on a connection that is there already. */
export async function exchangeOn(
  session: ClientHttp2Session,
  request: HttpRequest,
  upload: Throttle | undefined,
): Promise<HttpResponse> {
  const { method, path, headers, body, signal } = request;
  signal?.throwIfAborted();
  const length = body && { 'content-length': String(sizeOf(body)) };
  const stream = session.request(
    { ...headers, ...length, ':method': method, ':path': path },
    { endStream: body === undefined, ...(signal && { signal }) },
  );
  // Read through another stream from the first: an HTTP/2 stream that has ended can't be begun to be read.
  const received = new PassThrough();
  stream.on('error', () => undefined); // whoever waits is told: for the answer by `once`, for the body by its end
  pipeline(stream, received).catch(() => undefined);
  const failed = once(stream, 'close').then(() => {
    throw new Error('the connection ended without an answer');
  });
  failed.catch(() => undefined);
  const answered: Promise<readonly unknown[]> = once(stream, 'response');
  if (body === undefined) return responseOf(received, await Promise.race([answered, failed]));
  const sending = pipeline(Readable.from(outgoing(body, upload, signal), { objectMode: false }), stream);
  return responseOf(received, await Promise.race([answered, failed, failureOf(sending)]));
}

/** Never resolves: a stream that is through is no answer yet. */
async function failureOf(flowing: Promise<void>): Promise<never> {
  await flowing;
  return await new Promise<never>(() => undefined);
}

function responseOf(body: PassThrough, [first]: readonly unknown[]): HttpResponse {
  const headers = first as IncomingHttpHeaders; // what the event is declared to bring
  return {
    status: Number(headers[':status']),
    endsUntold: false,
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body,
    [Symbol.dispose]: () => void body.destroy(),
  };
}

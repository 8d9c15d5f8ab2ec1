import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { outgoing, type Throttle } from '../throttle.ts';
import type { HttpAgents } from './agents.ts';
import { http, https } from './node-http.ts';
import { sizeOf, type Exchange, type HttpRequest, type HttpResponse } from './exchange.ts';

/** Who is asked: a host and port, or a socket of this machine. */
export interface HttpTarget {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: string;
  readonly socketPath?: string;
}

/** Requests over HTTP/1.1. */
export function http1(target: HttpTarget, agents: HttpAgents, upload: Throttle | undefined): Exchange {
  return async (request) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = begin(target, agents, request);
    sent.once('response', resolve);
    sent.on('error', reject); // one that comes after the answer concerns nobody: its body tells the same
    send(sent, request, upload).catch(reject);
    return responseOf(sent, await promise);
  };
}

function begin(target: HttpTarget, agents: HttpAgents, request: HttpRequest): ClientRequest {
  const { secure, hostname, port, socketPath } = target;
  const length = request.body === undefined ? undefined : sizeOf(request.body);
  const options = {
    ...(socketPath === undefined ? { hostname, port } : { socketPath, hostname: 'localhost' }),
    method: request.method,
    path: request.path,
    headers: { ...request.headers, ...(length !== undefined && { 'content-length': String(length) }) },
    ...(request.signal && { signal: request.signal }),
  };
  return secure ? https.request({ ...options, agent: agents.https }) : http.request({ ...options, agent: agents.http });
}

/** Ends when everything was sent, or when the other side has had enough. */
async function send(sent: ClientRequest, { body, signal }: HttpRequest, throttle: Throttle | undefined): Promise<void> {
  if (body === undefined) sent.end();
  else await pipeline(Readable.from(outgoing(body, throttle, signal), { objectMode: false }), sent);
}

function responseOf(sent: ClientRequest, answer: IncomingMessage): HttpResponse {
  return {
    status: answer.statusCode ?? 0,
    endsUntold: !('content-length' in answer.headers || 'transfer-encoding' in answer.headers),
    header: (name) => {
      const value = answer.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: answer,
    [Symbol.dispose]: () => {
      if (!answer.complete || !sent.writableFinished) sent.destroy();
    },
  };
}

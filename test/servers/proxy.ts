import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, type Server } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { systemClock } from '../../src/clock/clock.ts';

/**
 * What can go wrong between a client and a server, answer by answer:
 * - 'drop': the request never arrives.
 * - 'lost-answer': it arrives and is done, the answer doesn't come.
 * - 'truncate': the answer breaks off in its body.
 * - 'duplicate': the request arrives twice; the second answer comes.
 * - 'delay': the answer takes its time.
 * - 'stall-up': the proxy stops to read the request half-way.
 * - 'stall-down': the answer stands still in its body.
 * - 'reorder': the answer waits until one to a later request was given; without such a request it comes late.
 */
export type NetworkFault =
  | 'drop'
  | 'lost-answer'
  | 'truncate'
  | 'duplicate'
  | 'delay'
  | 'reorder'
  | 'stall-up'
  | 'stall-down';

/** Those that end by themselves. */
export const networkFaults: readonly NetworkFault[] = [
  'reorder',
  'drop',
  'lost-answer',
  'truncate',
  'duplicate',
  'delay',
];

/** An answer in place of the server's, which never hears of the request. */
export interface InjectedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Asked extends Pick<IncomingMessage, 'method' | 'url' | 'headers'> {
  /** How many other requests are under way. */
  readonly beside: number;
}

/** What happens to a request. */
export type FaultFor = (asked: Asked) => NetworkFault | InjectedAnswer | undefined;

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** How often each fault struck. */
  readonly struck: ReadonlyMap<NetworkFault, number>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const delayMs = 200;
const longestHoldMs = 2000;

/**
 * Stands before an HTTP server on 127.0.0.1; `faultFor` decides for each request. What a client says of the host goes on
 * as it came: one who signs it (S3) signs the proxy's address, and the server finds the signature right.
 */
export async function httpProxy(to: number, faultFor: FaultFor): Promise<Proxy> {
  const struck = new Map<NetworkFault, number>();
  let underWay = 0;
  const shelf = new Shelf();
  const serve = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = asked;
    const chosen = faultFor({ method, url, headers, beside: underWay - 1 });
    if (typeof chosen === 'object') return await inject(asked, response, chosen);
    const fault = chosen;
    const strikes = (): void => void (fault && struck.set(fault, (struck.get(fault) ?? 0) + 1));
    if (fault !== 'reorder') strikes();
    if (fault === 'drop') return void asked.socket.destroy();
    if (fault === 'stall-up') return void asked.pause();
    const body = await buffer(asked);
    if (fault === 'duplicate') await forward(to, asked, body);
    const answer = await forward(to, asked, body);
    if (fault === 'lost-answer') return void asked.socket.destroy();
    if (fault === 'delay') await systemClock.sleep(delayMs);
    if (fault === 'reorder' && (await shelf.overtaken())) strikes();
    response.writeHead(answer.status, answer.headers);
    if (fault !== 'truncate' && fault !== 'stall-down') return void response.end(answer.body, () => shelf.letGo());
    const half = answer.body.subarray(0, answer.body.length >> 1);
    response.write(half, () => void (fault === 'truncate' && asked.socket.destroy()));
  };
  const server = createServer((asked, response) => {
    underWay++;
    serve(asked, response)
      .catch(() => asked.socket.destroy()) // the client went away, or the server did
      .finally(() => underWay--);
  });
  const port = await listening(server);
  const dispose = async (): Promise<void> => {
    server.closeAllConnections();
    await closed(server);
  };
  return { port, struck, [Symbol.asyncDispose]: dispose };
}

/** Holds answers back until another one was given. */
class Shelf {
  #waiting: (() => void)[] = [];

  /** Whether another answer came first; it isn't held forever. */
  async overtaken(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push(() => resolve(true));
    return await Promise.race([promise, systemClock.sleep(longestHoldMs).then(() => false)]);
  }

  letGo(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}

async function inject(asked: IncomingMessage, response: ServerResponse, answer: InjectedAnswer): Promise<void> {
  await buffer(asked);
  response.writeHead(answer.status, { 'content-type': 'application/xml', ...answer.headers });
  response.end(asked.method === 'HEAD' ? undefined : answer.body);
}

async function forward(port: number, asked: IncomingMessage, body: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { method, url, headers } = asked;
  const sent = request({ host: '127.0.0.1', port, method, path: url, headers }, resolve);
  sent.once('error', reject);
  sent.end(body);
  const answer = await promise;
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}

/**
 * Stands before any server on 127.0.0.1; once a connection has moved so many bytes it is cut, or nothing of it moves any
 * more.
 */
export async function cuttingProxy(
  to: number,
  afterBytes: () => number,
  then: 'truncate' | 'stall-up' = 'truncate',
): Promise<Proxy> {
  const struck = new Map<NetworkFault, number>();
  const ends = new Set<() => void>();
  const server = createTcpServer((near) => {
    const far = connect(to, '127.0.0.1');
    const end = (): void => {
      ends.delete(end);
      near.destroy();
      far.destroy();
    };
    ends.add(end);
    const strike = (): void => {
      struck.set(then, (struck.get(then) ?? 0) + 1);
      if (then === 'truncate') return end();
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    };
    let left = afterBytes();
    for (const socket of [near, far]) {
      socket.on('error', end).on('close', end);
      socket.on('data', (bytes) => {
        if (left <= 0 || near.destroyed) return;
        left -= bytes.length;
        if (left <= 0) strike();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  const port = await listening(server);
  const dispose = async (): Promise<void> => {
    for (const end of ends) end();
    await closed(server);
  };
  return { port, struck, [Symbol.asyncDispose]: dispose };
}

async function listening(server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
}

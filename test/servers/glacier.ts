import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Clock } from '../../src/clock/clock.ts';
import { versitygw } from './versitygw.ts';

/** An S3 server with archive classes: versitygw behind a front that answers as Amazon's documentation says S3 does. */
export interface Glacier extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly owner: Readonly<Record<string, string>>;
  /** The bodies of all requests to thaw, by path, in their order. */
  readonly asked: readonly { readonly path: string; readonly body: string }[];
  /** The paths of what lies in an archive, with its class. */
  readonly archived: ReadonlyMap<string, string>;
  /** Where the server behind keeps what a bucket holds. */
  readonly folderOf: (bucket: string) => string;
}

interface Thaw {
  readonly doneNs: bigint;
  untilNs: bigint;
}

const archives: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];
const dayNs = 86_400_000_000_000n;

/** No server here can archive anything. A thaw takes `thawMs` by the clock. */
export async function glacier(options: { readonly clock: Clock; readonly thawMs: number }): Promise<Glacier> {
  const behind = await versitygw();
  const front = new Front(behind.running.port, options);
  const server = createServer((asked, response) => {
    front.serve(asked, response).catch(() => asked.socket.destroy()); // the client went away, or the server did
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await listening;
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    owner: behind.owner,
    asked: front.asked,
    archived: front.archived,
    folderOf: (bucket) => behind.running.dir.file('data', bucket),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await behind[Symbol.asyncDispose]();
    },
  };
}

class Front {
  readonly asked: { readonly path: string; readonly body: string }[] = [];
  readonly archived = new Map<string, string>();
  readonly #readable = new Set<string>();
  readonly #thaws = new Map<string, Thaw>();
  readonly #port: number;
  readonly #clock: Clock;
  readonly #thawMs: number;

  constructor(port: number, { clock, thawMs }: { readonly clock: Clock; readonly thawMs: number }) {
    this.#port = port;
    this.#clock = clock;
    this.#thawMs = thawMs;
  }

  async serve(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(asked);
    const { pathname: path, searchParams } = new URL(asked.url ?? '/', 'http://127.0.0.1');
    const storageClass = this.archived.get(path);
    if (asked.method === 'POST' && searchParams.has('restore')) return this.#thaw(path, body.toString(), response);
    if (asked.method === 'GET' && storageClass !== undefined && !this.#isReadable(path))
      return refuse(response, 403, 'InvalidObjectState', "The operation is not valid for the object's storage class");
    const answer = await forward(this.#port, asked, body);
    const bytes = await buffer(answer);
    if (asked.method === 'PUT' && answer.statusCode === 200) this.#note(path, asked.headers['x-amz-storage-class']);
    if (asked.method === 'DELETE') this.#forget(path);
    const isList = asked.method === 'GET' && bytes.includes('<ListBucketResult');
    const shown = isList ? Buffer.from(this.#withClasses(path, bytes.toString())) : bytes;
    response.writeHead(answer.statusCode ?? 502, {
      ...answer.headers,
      ...this.#headersOf(path),
      ...sizeOf(isList, shown),
    });
    response.end(asked.method === 'HEAD' ? undefined : shown);
  }

  #note(path: string, storageClass: string | readonly string[] | undefined): void {
    this.#forget(path);
    if (typeof storageClass === 'string' && archives.includes(storageClass)) this.archived.set(path, storageClass);
    else this.#readable.add(path);
  }

  #forget(path: string): void {
    this.#thaws.delete(path);
    this.archived.delete(path);
    this.#readable.delete(path);
  }

  /** RestoreObject: 202 at first, 409 while it is under way, 200 and a new end once there is a copy. */
  #thaw(path: string, body: string, response: ServerResponse): void {
    const storageClass = this.archived.get(path);
    if (storageClass === undefined && !this.#readable.has(path))
      return refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
    if (storageClass === undefined)
      return refuse(
        response,
        403,
        'InvalidObjectState',
        'Restore is not allowed for the object’s current storage class',
      );
    if (storageClass === 'DEEP_ARCHIVE' && body.includes('Expedited'))
      return refuse(response, 400, 'InvalidArgument', 'Retrieval option is not supported by this storage class');
    this.asked.push({ path, body });
    const days = BigInt(/<Days>(\d+)<\/Days>/.exec(body)?.[1] ?? 1);
    const now = this.#clock.nowNs();
    const thaw = this.#thaws.get(path);
    if (thaw === undefined || thaw.untilNs <= now) {
      const doneNs = now + BigInt(this.#thawMs) * 1_000_000n;
      this.#thaws.set(path, { doneNs, untilNs: midnightAfter(doneNs + days * dayNs) });
      response.writeHead(202).end();
    } else if (thaw.doneNs > now) {
      refuse(response, 409, 'RestoreAlreadyInProgress', 'Object restore is already in progress');
    } else {
      thaw.untilNs = midnightAfter(now + days * dayNs);
      response.writeHead(200).end();
    }
  }

  #isReadable(path: string): boolean {
    const now = this.#clock.nowNs();
    const thaw = this.#thaws.get(path);
    return thaw !== undefined && thaw.doneNs <= now && now < thaw.untilNs;
  }

  /** x-amz-storage-class, and x-amz-restore where a thaw was asked for. */
  #headersOf(path: string): Readonly<Record<string, string>> {
    const storageClass = this.archived.get(path);
    if (storageClass === undefined) return {};
    const thaw = this.#thaws.get(path);
    const now = this.#clock.nowNs();
    if (thaw === undefined || thaw.untilNs <= now) return { 'x-amz-storage-class': storageClass };
    const until = new Date(Number(thaw.untilNs / 1_000_000n)).toUTCString();
    const restore = thaw.doneNs > now ? 'ongoing-request="true"' : `ongoing-request="false", expiry-date="${until}"`;
    return { 'x-amz-storage-class': storageClass, 'x-amz-restore': restore };
  }

  #withClasses(bucket: string, xml: string): string {
    const base = bucket.replace(/\/$/, '');
    return xml.replaceAll(/<Contents>.*?<\/Contents>/gs, (entry) => {
      const key = /<Key>(.*?)<\/Key>/s.exec(entry)?.[1] ?? '';
      const storageClass = this.archived.get(`${base}/${key}`);
      if (storageClass === undefined) return entry;
      return entry.replace(/<StorageClass>.*?<\/StorageClass>/s, `<StorageClass>${storageClass}</StorageClass>`);
    });
  }
}

/** The copy's end, as S3 rounds it: midnight (UTC) of the day after. */
function midnightAfter(ns: bigint): bigint {
  return (ns / dayNs + 1n) * dayNs;
}

function sizeOf(isList: boolean, body: Buffer): Readonly<Record<string, string>> {
  return isList ? { 'content-length': String(body.length) } : {};
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}

async function forward(port: number, asked: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { method, url, headers } = asked;
  const sent = request({ host: '127.0.0.1', port, method, path: url, headers }, resolve);
  sent.once('error', reject);
  sent.end(body);
  return await promise;
}

import { nsOfHttpDate } from '../../clock/date.ts';
import { HoldfastError } from '../../errors/error.ts';
import { drain, readBody, type Exchange, type HttpRequest, type HttpResponse } from '../http/exchange.ts';
import { mostObjectBytes } from '../size-limit.ts';
import type { GetOptions, WaitOptions } from '../storage.ts';
import type { Throttle } from '../throttle.ts';
import { statusError } from './errors.ts';
import { acceptV2, parseListing, type ListedName } from './listing.ts';
import { isHeld, pathOf } from './names.ts';

export interface RestServer {
  readonly exchange: Exchange;
  /** For people. */
  readonly url: string;
  /** Of the repository, beginning and ending with '/'. */
  readonly path: string;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly download?: Throttle | undefined;
  /** Whoever serves may know better than the connection why that failed. */
  readonly explain?: (error: unknown) => Promise<unknown>;
  /** Its clock isn't this host's. */
  readonly elsewhere?: true;
  readonly close: () => Promise<void>;
}

/** Enough for more than two million packs. */
const mostListBytes = 256 * 1024 * 1024;

interface Question extends WaitOptions {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly body?: readonly Uint8Array[];
  readonly headers?: HttpRequest['headers'];
}

interface PostRefusal {
  readonly status: number;
  readonly error: HoldfastError;
}

/** restic's REST protocol, question by question. A refusal is told with what it means; a failed connection is thrown as it comes. */
export class RestClient {
  readonly #server: RestServer;

  constructor(server: RestServer) {
    this.#server = server;
  }

  /** Has the server make the repository's folders; a server that has them does nothing. */
  async create(wait: WaitOptions): Promise<void> {
    using answer = await this.#ask({ ...wait, method: 'POST', path: '?create=true', body: [] });
    await drain(answer);
    if (answer.status !== 200) throw refusal(answer, `cannot create ${this.#server.url}`);
  }

  /** Resolves with why the server did not take it, if it didn't. */
  async post(key: string, data: readonly Uint8Array[], wait: WaitOptions): Promise<PostRefusal | undefined> {
    using answer = await this.#ask({ ...wait, method: 'POST', path: pathOf(key), body: data });
    await drain(answer);
    const { status } = answer;
    return status === 200 ? undefined : { status, error: refusal(answer, this.doing('store', key)) };
  }

  async get(key: string, options: GetOptions): Promise<Uint8Array> {
    const { range, signal } = options;
    const headers = range && { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    const question = { method: 'GET', path: this.#pathOf('read', key), ...(headers && { headers }) } as const;
    using answer = await this.#ask({ ...question, ...(signal && { signal }) });
    if (answer.status === 200 || answer.status === 206) return await this.#bytesOf(answer, key, options);
    await drain(answer);
    throw answer.status === 404 ? await this.#absence(key, options) : refusal(answer, this.doing('read', key));
  }

  /** rclone answers 404 to a range beyond an object's end, and when something within it failed. */
  async #absence(key: string, options: GetOptions): Promise<HoldfastError> {
    const sizeBytes = await this.sizeOf(key, options);
    const doing = this.doing('read', key);
    if (sizeBytes === undefined) return statusError(404, doing);
    const end = options.range ? options.range.offset + options.range.length : 0;
    if (end > sizeBytes) return new HoldfastError('damaged', `${doing}: it ends before byte ${end}`);
    return new HoldfastError('storage-failed', `${doing}: the server has it and answers with status 404`);
  }

  /** Undefined when the object isn't there. */
  async sizeOf(key: string, wait: WaitOptions): Promise<number | undefined> {
    if (!isHeld(key)) return undefined;
    using answer = await this.#ask({ ...wait, method: 'HEAD', path: pathOf(key) });
    await drain(answer);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusal(answer, this.doing('find', key));
    const text = answer.header('content-length') ?? '';
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new HoldfastError('storage-failed', `${this.doing('find', key)}: the server tells no size`);
  }

  /** By the head of any answer. */
  async timeThere(wait: WaitOptions): Promise<bigint> {
    using answer = await this.#ask({ ...wait, method: 'HEAD', path: 'config' });
    await drain(answer);
    const timeNs = nsOfHttpDate(answer.header('date') ?? '');
    if (timeNs !== undefined) return timeNs;
    throw new HoldfastError('unsupported', `${this.#server.url} tells no time`);
  }

  async namesIn(folder: string, wait: WaitOptions): Promise<readonly ListedName[]> {
    using answer = await this.#ask({ ...wait, method: 'GET', path: `${folder}/` });
    if (answer.status === 200) {
      const text = await readBody(answer, { ...wait, mostBytes: mostListBytes, more: 'refused' });
      return parseListing(text.toString(), answer.header('content-type'));
    }
    await drain(answer);
    const error = refusal(answer, `cannot list ${folder} in ${this.#server.url}`);
    if (answer.status !== 404) throw error;
    // rclone answers so when something within it failed.
    if (answer.header('server')?.startsWith('rclone/')) throw new HoldfastError('storage-failed', error.message);
    // So does whoever answers in the server's place; a short list would be believed.
    if ((await this.sizeOf('config', wait)) !== undefined) return [];
    throw new HoldfastError('storage-missing', `${error.message}, and there is no repository`);
  }

  async remove(key: string, wait: WaitOptions): Promise<void> {
    using answer = await this.#ask({ ...wait, method: 'DELETE', path: this.#pathOf('remove', key) });
    await drain(answer);
    if (answer.status !== 200) throw refusal(answer, this.doing('remove', key));
  }

  doing(verb: string, key: string): string {
    return `cannot ${verb} ${key} in ${this.#server.url}`;
  }

  #pathOf(verb: string, key: string): string {
    if (isHeld(key)) return pathOf(key);
    throw statusError(404, this.doing(verb, key));
  }

  async #ask({ method, path, body, headers, signal }: Question): Promise<HttpResponse> {
    const type = body && { 'content-type': 'application/octet-stream' };
    const answer = await this.#server.exchange({
      method,
      path: this.#server.path + path,
      headers: { ...this.#server.headers, accept: acceptV2, ...type, ...headers },
      ...(body && { body }),
      signal,
    });
    if (method === 'GET' || answer.status !== 200 || !isPage(answer)) return answer;
    answer[Symbol.dispose]();
    throw new HoldfastError('storage-failed', 'a page for people answers in place of the server');
  }

  async #bytesOf(answer: HttpResponse, key: string, options: GetOptions): Promise<Uint8Array> {
    const { range, maxBytes = mostObjectBytes, signal } = options;
    const wait = { throttle: this.#server.download, signal };
    if (!range) return await readBody(answer, { ...wait, mostBytes: maxBytes, more: 'refused' });
    // Some answer with the whole object all the same.
    const skipBytes = answer.status === 200 ? range.offset : 0;
    const bytes = await readBody(answer, { ...wait, mostBytes: range.length, skipBytes, more: 'cut' });
    if (bytes.length === range.length) return bytes;
    throw new HoldfastError(
      'damaged',
      `${this.doing('read', key)}: it ends before byte ${range.offset + range.length}`,
    );
  }
}

function refusal(answer: HttpResponse, doing: string): HoldfastError {
  return statusError(answer.status, doing, (name) => answer.header(name));
}

/** A login page on the way, or one that tells of maintenance, doesn't say what became of an object. */
function isPage(answer: HttpResponse): boolean {
  return answer.header('content-type')?.startsWith('text/html') ?? false;
}

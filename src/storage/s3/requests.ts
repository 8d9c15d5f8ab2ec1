import type { S3Client } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import { orAborted } from '../../flow/abort.ts';
import { begun } from '../../flow/stall.ts';
import type { DriverSettings } from '../driver.ts';
import { checkKey } from '../keys.ts';
import type { WaitOptions } from '../storage.ts';
import { showS3Address, type S3Address } from './address.ts';
import { hasBucket, makeBucket } from './bucket.ts';
import { connectS3, type S3Connection, type SdkWait } from './client.ts';
import { s3Error } from './errors.ts';
import type { S3Options } from './options.ts';

export interface RequestOptions extends WaitOptions {
  /** With the credentials for removals, where there are others. */
  readonly as?: 'remover';
}

export interface S3Place {
  readonly address: S3Address;
  readonly options: S3Options;
  readonly settings: DriverSettings;
  /** How long the server may take to tell the bucket's region. */
  readonly answerMs: number;
}

/** Requests to a bucket, over connections that are made when the first is asked for. */
export class S3Requests implements AsyncDisposable {
  /** For people. */
  readonly url: string;
  readonly #place: S3Place;
  readonly #closing = new AbortController();
  #connecting: Promise<S3Connection> | undefined;

  constructor(place: S3Place) {
    this.#place = place;
    this.url = showS3Address(place.address);
  }

  get bucket(): { readonly Bucket: string } {
    return { Bucket: this.#place.address.bucket };
  }

  /** What comes before every key. */
  get prefix(): string {
    return this.#place.address.prefix;
  }

  object(key: string): { readonly Bucket: string; readonly Key: string } {
    checkKey(key);
    return { ...this.bucket, Key: this.prefix + key };
  }

  /** Makes the bucket where it is missing. */
  async create(options: WaitOptions): Promise<void> {
    const { address, options: wishes } = this.#place;
    await this.attempt('cannot make the bucket', options, async (client, wait) => {
      if (await hasBucket(client, address.bucket, wait)) return;
      const { region } = await this.#connection();
      await makeBucket(client, address.bucket, { region, locks: wishes.lock ? 'enabled' : 'none', wait });
    });
  }

  /** Makes requests; their errors come out with what they mean for the object. */
  async attempt<T>(
    doing: string,
    options: RequestOptions,
    task: (client: S3Client, wait: SdkWait) => Promise<T>,
  ): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    begun(signal);
    const asked = async (): Promise<T> => {
      const connection = await this.#connection();
      return await connection.ask((clients) => task(clients[options.as ?? 'writer'], waitOf(options)));
    };
    try {
      return await orAborted(asked(), signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      const meaning = s3Error(error, `${doing} in ${this.url}`);
      throw meaning.code === 'storage-not-found' ? await this.#absence(meaning, error, options) : meaning;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const connection = await this.#connecting?.catch(() => undefined); // whoever asked was told
    connection?.[Symbol.dispose]();
  }

  /** Connected once; a failure may pass, so the next call tries again. */
  async #connection(): Promise<S3Connection> {
    const { address, options, settings, answerMs } = this.#place;
    const bound = { ms: answerMs, signal: this.#closing.signal };
    this.#connecting ??= connectS3(address, options, settings, bound);
    try {
      return await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  /** An answer without words (to HEAD) doesn't say whether the object or the bucket is missing. */
  async #absence(meaning: HoldfastError, cause: unknown, options: WaitOptions): Promise<HoldfastError> {
    const isTold = cause instanceof Error && cause.name !== 'NotFound';
    const { clients } = await this.#connection();
    const { Bucket } = this.bucket;
    if (isTold || (await hasBucket(clients.writer, Bucket, waitOf(options)))) return meaning;
    return new HoldfastError('storage-missing', `there is no bucket ${Bucket}: ${meaning.message}`, { cause });
  }
}

function waitOf({ signal }: WaitOptions): SdkWait {
  return signal ? { abortSignal: signal } : {};
}

import type { S3Client } from '@aws-sdk/client-s3';
import { HoldfastError } from '../../errors/error.ts';
import { needsCredentials } from './errors.ts';

/** Who asks: with the writer's credentials, and with those for removals where there are any. */
export interface S3Clients {
  readonly writer: S3Client;
  /** Removes what a writer may not. */
  readonly remover: S3Client;
}

/** Credentials that expire while a backup runs are renewed where they come from: a file, a program, a role. */
export class Renewal {
  readonly #make: () => Promise<S3Clients>;
  #clients: S3Clients;
  #renewing: Promise<S3Clients | undefined> | undefined;

  /** `make` asks anew for credentials. */
  constructor(first: S3Clients, make: () => Promise<S3Clients>) {
    this.#clients = first;
    this.#make = make;
  }

  get clients(): S3Clients {
    return this.#clients;
  }

  /** Once more with new credentials, where those that were good are no more. */
  async ask<T>(task: (clients: S3Clients) => Promise<T>): Promise<T> {
    const clients = this.#clients;
    try {
      return await task(clients);
    } catch (error) {
      const renewed = needsCredentials(error) ? await this.#renewed(clients) : undefined;
      if (!renewed) throw error;
      return await task(renewed);
    }
  }

  /** Clients with other credentials than the expired ones; undefined where there are none. Asks once for all who ask. */
  async #renewed(expired: S3Clients): Promise<S3Clients | undefined> {
    if (this.#clients !== expired) return this.#clients;
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    return await this.#renewing;
  }

  async #renew(): Promise<S3Clients | undefined> {
    const before = await identityOf(this.#clients);
    try {
      const clients = await this.#make();
      if ((await identityOf(clients)) === before) return undefined;
      this.#clients = clients;
      return clients;
    } catch (cause) {
      throw new HoldfastError(
        'storage-denied',
        'the credentials are not taken any more, and where they come from gives no others',
        {
          cause,
          next: 'Renew them there, then run the command again: what is stored already is unharmed and not sent twice.',
        },
      );
    }
  }
}

async function identityOf({ writer, remover }: S3Clients): Promise<string> {
  const identities = [await writer.config.credentials(), await remover.config.credentials()];
  return JSON.stringify(
    identities.map(({ accessKeyId, secretAccessKey, sessionToken }) => [accessKeyId, secretAccessKey, sessionToken]),
  );
}

import { createRepository } from '../repository/create.ts';
import type { KeyOwner } from '../repository/passwords.ts';
import type { RepositoryConfig } from '../repository/repository.ts';
import type { Secret } from '../secret/secret.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../clock/clock.ts';
import type { RepositoryAccess } from './job.ts';

export interface InitOptions {
  /** Given up to the job, which disposes of it. */
  readonly storage: Storage;
  readonly password: Secret;
  readonly owner: KeyOwner;
  readonly version: RepositoryConfig['version'];
  readonly clock: Clock;
  /** Of another repository, whose blobs are then equal where files are. */
  readonly chunkerPolynomial?: string;
}

export interface InitOutcome {
  /** Of the repository, 64 hex digits. */
  readonly id: string;
  readonly address: string;
}

/** Creates a repository in an empty storage. */
export async function init({ storage, password, owner, ...options }: InitOptions): Promise<InitOutcome> {
  await using _storage = storage;
  const key = { ...owner, password: password.reveal() };
  const repository = await createRepository({ storage, key, ...options });
  return { id: repository.config.id, address: storage.url };
}

/** What is there already, and how it cuts files. */
export async function presentAt({
  open,
}: Pick<RepositoryAccess, 'open'>): Promise<InitOutcome & Pick<RepositoryConfig, 'chunkerPolynomial'>> {
  await using other = await open();
  const { id, chunkerPolynomial } = other.config;
  return { id, address: other.storage.url, chunkerPolynomial };
}
